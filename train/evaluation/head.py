"""What follows a network's last feature map, in numpy: its output and its gradient.

A classification head is a handful of dense layers, so its gradient can be worked out by hand;
this way it needs no backend's automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edge.errors import TrainingError

#: Takes values (n, inputs), returns the outputs and a function from the gradient by the outputs to
#: the gradient by the inputs.
_Backward = Callable[[NDArray[np.float64]], NDArray[np.float64]]
_Step = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], _Backward]]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The layers after a network's last feature map.

    Attributes:
        pools: whether the map is averaged over its positions; otherwise it is flattened.
        steps: what follows, up to the logits.
    """

    pools: bool
    steps: tuple[_Step, ...]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the class logits of feature maps.

        Args:
            features: float32, shape (n, height, width, channels).

        Returns:
            float64, shape (n, classes).
        """
        return self._forward(features)[0]

    def gradient(
        self, features: NDArray[np.float32], classes: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return how one class's logit changes with the feature maps.

        Args:
            features: float32, shape (n, height, width, channels).
            classes: whose logit, for each image; int64, shape (n,).

        Returns:
            float64, shape (n, height, width, channels).
        """
        logits, backwards = self._forward(features)
        gradient = np.zeros_like(logits)
        gradient[np.arange(len(logits)), classes] = 1
        for backward in reversed(backwards):
            gradient = backward(gradient)
        if not self.pools:
            return gradient.reshape(features.shape)
        positions = features.shape[1] * features.shape[2]
        return np.broadcast_to(gradient[:, None, None, :] / positions, features.shape)

    def _forward(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], list[_Backward]]:
        values = features.astype(np.float64)
        values = values.mean(axis=(1, 2)) if self.pools else values.reshape(len(values), -1)
        backwards = []
        for step in self.steps:
            values, backward = step(values)
            backwards.append(backward)
        return values, backwards


def read_head(tail: Sequence[keras.layers.Layer]) -> Head:
    """Take over the layers that follow a network's last feature map.

    Args:
        tail: begins with GlobalAveragePooling2D or Flatten; then Dense, ReLU, Activation and
            Dropout layers, the last Dense giving the class logits or probabilities.

    Returns:
        The same in numpy, without the last softmax and without dropout.

    Raises:
        TrainingError: there is another layer, or another activation.
    """
    steps: list[_Step] = []
    for layer in tail[1:]:
        if isinstance(layer, layers.Dropout | layers.InputLayer):
            continue
        if isinstance(layer, layers.Dense):
            weights = [np.asarray(one, np.float64) for one in layer.get_weights()]
            steps.append(_dense(weights[0], weights[1] if layer.use_bias else 0.0))
            name = keras.activations.serialize(layer.activation)
        elif isinstance(layer, layers.ReLU) and not layer.negative_slope and not layer.threshold:
            name = "relu" if layer.max_value is None else "relu6" if layer.max_value == 6 else "?"
        elif isinstance(layer, layers.Activation):
            name = keras.activations.serialize(layer.activation)
        else:
            name = "softmax" if isinstance(layer, layers.Softmax) else "?"
        if name in ("relu", "relu6"):
            steps.append(_relu(6.0 if name == "relu6" else np.inf))
        elif name != "linear" and not (name == "softmax" and _is_last(layer, tail)):
            raise TrainingError(
                "Class activation is worked out for dense, ReLU and dropout layers after the last "
                "feature map, with one softmax at the end",
                got=f"a {type(layer).__name__} layer named {layer.name}",
                next_step="Leave --cam out for this network",
            )
    return Head(isinstance(tail[0], layers.GlobalAveragePooling2D), tuple(steps))


def _is_last(layer: keras.layers.Layer, tail: Sequence[keras.layers.Layer]) -> bool:
    return layer is tail[-1]


def _dense(kernel: NDArray[np.float64], bias: NDArray[np.float64] | float) -> _Step:
    def step(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], _Backward]:
        return values @ kernel + bias, lambda gradient: gradient @ kernel.T

    return step


def _relu(highest: float) -> _Step:
    def step(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], _Backward]:
        passed = (values > 0) & (values < highest)
        return np.clip(values, 0, highest), lambda gradient: gradient * passed

    return step
