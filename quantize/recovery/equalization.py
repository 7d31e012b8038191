"""Scaling between layers that leaves the function as it is and evens out its channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantize.activations import channel_peaks
from quantize.float_graph import OUTPUT_AXIS, FloatGraph, Operation

#: Operations that a positive factor of a channel passes through.
_SCALING = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN")

#: Axis of the weights that their inputs lie along.
_INPUT_AXIS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 1}

#: A layer's activation through which a positive factor passes; ReLU6 is none.
_HOMOGENEOUS = ("NONE", "RELU")


def equalize(calibrated: bytes, images: NDArray[np.uint8]) -> tuple[bytes, int]:
    """Even out the channels between neighbouring layers.

    Where one layer alone feeds another, a channel can be divided by a factor in the first and
    multiplied by it in the second (Nagel et al., "Data-Free Quantization Through Weight
    Equalization and Bias Correction", ICCV 2019). Weights have a scale per output channel here, so
    that what is evened out is the channel's greatest activation against its weights in the second
    layer: factor = sqrt(activation / weight), as in Xiao et al., "SmoothQuant", ICML 2023, with
    alpha one half.

    Args:
        calibrated: as `quantize.convert.calibrate` returns it.
        images: the calibration set; RGB, uint8, shape (n, side, side, 3).

    Returns:
        The float TFLite network, whose ranges are to be measured anew, and how many pairs of
        layers were evened out.
    """
    graph = FloatGraph(calibrated)
    pairs = [
        (one, following)
        for one in graph.operations
        if (following := _following(graph, one)) is not None
    ]
    if not pairs:
        return calibrated, 0
    peaks = channel_peaks(calibrated, images)
    for first, second in pairs:
        peak = peaks[first.name]
        weights = graph.weights(second.name)
        axis = _INPUT_AXIS[second.kind]
        if weights.shape[axis] != len(peak):
            continue
        others = tuple(index for index in range(weights.ndim) if index != axis)
        reach = np.abs(weights).max(axis=others)
        alive = (peak > 0) & (reach > 0)
        factor = np.ones(len(peak), np.float32)
        factor[alive] = np.sqrt(peak[alive] / reach[alive])
        factor /= np.exp(np.log(factor).mean())
        graph.set_weights(second.name, weights * _along(factor, axis, weights.ndim))
        own = graph.weights(first.name)
        graph.set_weights(first.name, own / _along(factor, OUTPUT_AXIS[first.kind], own.ndim))
        graph.set_bias(first.name, graph.bias(first.name) / factor)
        # A second layer may be the first of the next pair: its channels' peaks stay as they are.
    return graph.content(), len(pairs)


def _following(graph: FloatGraph, one: Operation) -> Operation | None:
    """Return the one layer that an operation's output feeds, if a factor passes on to it."""
    if (
        one.kind not in OUTPUT_AXIS
        or one.activation not in _HOMOGENEOUS
        or not graph.has_bias(one.name)
    ):
        return None
    takers = graph.takers(one.name)
    while len(takers) == 1 and takers[0].kind in _SCALING:
        takers = graph.takers(takers[0].name)
    if len(takers) != 1 or takers[0].kind not in _INPUT_AXIS or not graph.has_bias(takers[0].name):
        return None
    return takers[0]


def _along(factor: NDArray[np.float32], axis: int, dimensions: int) -> NDArray[np.float32]:
    shape = [1] * dimensions
    shape[axis] = len(factor)
    return factor.reshape(shape)
