"""What plain convolutional networks are made of."""

from __future__ import annotations

from typing import Any

from keras import layers


def convolution(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
    """Convolve, normalize by the batch and cut off below 0.

    Args:
        x: a Keras tensor, shape (batch, height, width, channels).
        filters: channels of the result.
        size: height and width of the kernel.
        strides: of both directions.

    Returns:
        A Keras tensor, shape (batch, height / strides, width / strides, filters), rounded up.
    """
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)
