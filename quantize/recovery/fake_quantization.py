"""A network that computes in float with the values that int8 would have."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from train.fitting import normalize

#: Layers with weights that int8 rounds, and the axes of their kernels that share a scale.
_KERNEL_AXES: dict[type, tuple[int, ...]] = {
    layers.DepthwiseConv2D: (0, 1, 3),
    layers.Conv2D: (0, 1, 2),
    layers.Dense: (0,),
}

#: Layers whose outputs int8 rounds as they are.
_ROUNDED = (
    layers.ReLU,
    layers.Add,
    layers.GlobalAveragePooling2D,
    layers.AveragePooling2D,
    layers.Concatenate,
)

#: What follows these is fused into them, so that nothing between is rounded.
_FUSED = (layers.ReLU, layers.BatchNormalization)

_BATCH = 32


class RoundedWeights(layers.Wrapper):  # type: ignore[misc]
    """A layer whose kernel is rounded to int8 as it computes, with a scale per output channel.

    Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018; gradients pass as if nothing were rounded.
    Batch normalization behind it scales each output channel, which leaves the rounding as it is,
    so that it need not be folded first.
    """

    def call(self, inputs: Any) -> Any:
        """Return the layer's outputs with its kernel rounded."""
        axes = next(axes for kind, axes in _KERNEL_AXES.items() if isinstance(self.layer, kind))
        values = [
            _round_kernel(one, axes) if one is self.layer.kernel else one
            for one in self.layer.trainable_variables
        ]
        outputs, _ = self.layer.stateless_call(values, self.layer.non_trainable_variables, inputs)
        return outputs


class RoundedActivation(layers.Layer):  # type: ignore[misc]
    """Round values to the 256 steps between the least and the greatest that were observed.

    Args:
        name: of the layer.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.observing = False
        self.low = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.high = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        """Return the rounded values, or the values as they are while their range is observed."""
        if self.observing:
            values = ops.convert_to_numpy(inputs)
            self.low.assign(min(float(self.low.numpy()), float(values.min())))
            self.high.assign(max(float(self.high.numpy()), float(values.max())))
            return inputs
        scale = ops.maximum((self.high - self.low) / 255.0, 1e-12)
        zero_point = ops.round(-self.low / scale)
        steps = ops.clip(ops.round(inputs / scale) + zero_point, 0.0, 255.0)
        inside = ops.clip(inputs, self.low, self.high)
        return inside + ops.stop_gradient((steps - zero_point) * scale - inside)


def fake_quantize(network: keras.Model, images: NDArray[np.uint8]) -> keras.Model:
    """Return a network that shares another's layers and rounds as int8 would.

    Args:
        network: as `train.networks` builds them; training the returned one trains it.
        images: the calibration set; RGB, uint8, shape (n, side, side, 3).
    """
    wrapped: dict[int, RoundedWeights] = {}
    activations: list[RoundedActivation] = []

    def clone(layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, tuple(_KERNEL_AXES)):
            return wrapped.setdefault(id(layer), RoundedWeights(layer))
        return layer

    def call(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
        if isinstance(layer, layers.BatchNormalization):
            options["training"] = False
        outputs = layer(*inputs, **options)
        if _is_rounded(layer):
            activations.append(RoundedActivation(f"{layer.name}_rounded"))
            outputs = activations[-1](outputs)
        return outputs

    rounding = keras.models.clone_model(
        network, clone_function=clone, call_function=call, recursive=True
    )
    for activation in activations:
        activation.observing = True
    for start in range(0, len(images), _BATCH):
        rounding(normalize(images[start : start + _BATCH]), training=False)
    for activation in activations:
        activation.observing = False
    return rounding


def _is_rounded(layer: layers.Layer) -> bool:
    """Tell whether a layer's output is an int8 tensor of its own."""
    if isinstance(layer, _ROUNDED):
        return True
    own: Any = layer.layer if isinstance(layer, RoundedWeights) else layer
    kinds: tuple[Any, ...] = (*_KERNEL_AXES, layers.BatchNormalization)
    if not isinstance(own, kinds):
        return False
    # The last layer's softmax is rounded elsewhere, and by itself.
    takers = [node.operation for node in own._outbound_nodes]
    return bool(takers) and not any(isinstance(taker, _FUSED) for taker in takers)


def _round_kernel(kernel: Any, axes: tuple[int, ...]) -> Any:
    scale = ops.maximum(ops.max(ops.abs(kernel), axis=axes, keepdims=True) / 127.0, 1e-12)
    rounded = ops.round(kernel / scale) * scale
    return kernel + ops.stop_gradient(rounded - kernel)
