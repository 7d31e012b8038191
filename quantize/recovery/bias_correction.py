"""Biases that make up for what rounding shifts on average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantize.activations import watch
from quantize.convert import debug_calibrated
from quantize.float_graph import OUTPUT_AXIS, FloatGraph

_VERIFIES = "NumericVerify/"


def correct_biases(calibrated: bytes, images: NDArray[np.uint8]) -> tuple[bytes, int]:
    """Take the mean error of each channel of each layer out of its bias.

    Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV
    2019, section 4.2, with the mean measured on calibration images.

    Args:
        calibrated: as `quantize.convert.calibrate` returns it.
        images: the calibration set; RGB, uint8, shape (n, side, side, 3).

    Returns:
        The float TFLite network with other biases, and in how many layers.

    Raises:
        QuantizationError: the quantizer refuses the network.
    """
    graph = FloatGraph(calibrated)
    layers = {
        one.name for one in graph.operations if one.kind in OUTPUT_AXIS and graph.has_bias(one.name)
    }
    sums: dict[str, NDArray[np.float64]] = {}
    for outputs in watch(debug_calibrated(calibrated), images):
        for verified, errors in outputs.items():
            if not verified.startswith(_VERIFIES):
                continue
            name = _layer_of(verified, layers)
            if name is not None:
                mean = errors.reshape(-1, errors.shape[-1]).mean(axis=0, dtype=np.float64)
                sums[name] = sums[name] + mean if name in sums else mean
    for name, total in sums.items():
        bias = graph.bias(name)
        graph.set_bias(name, (bias - total / len(images)).astype(np.float32))
    return graph.content(), len(sums)


def _layer_of(verified: str, layers: set[str]) -> str | None:
    """Return the layer whose output a NumericVerify operation looks at.

    Its output is called "NumericVerify/NAME:INDEX", where a digit may have been put behind the
    name, as `tf.lite.experimental.QuantizationDebugger` knows.
    """
    name = verified.removeprefix(_VERIFIES).rsplit(":", 1)[0]
    return next((one for one in (name, name[:-1]) if one in layers), None)
