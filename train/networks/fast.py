"""The network for the smallest Pi."""

from __future__ import annotations

import keras
from keras import layers

from train.networks.convolution import convolution


def fast(side: int, classes: int) -> keras.Model:
    """Build the network, of 249,000 parameters at four classes.

    Its first convolution takes blocks of 4 x 4 pixels, each once: at a sixteenth of the places the
    pixels of a 224-pixel field are all still there, as 24 numbers for 48. Four plain convolutions
    follow, with max pooling between, one of them with a way around it (He et al., arXiv
    1512.03385), then global average pooling and one dense layer, so that class activation maps are
    exact. Plain convolutions of few channels are what TFLite runtimes do best: at as many
    multiplications MobileNetV2's separable ones take more than twice the time.

    Args:
        side: height and width of the input in pixels; a multiple of 32.
        classes: how many classes there are.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
    """
    return plain_network(side, classes, block=4, dropout=0.1, name="fast")


def plain_network(side: int, classes: int, *, block: int, dropout: float, name: str) -> keras.Model:
    """Build `fast`, or a network like it.

    Args:
        side: height and width of the input in pixels; a multiple of eight blocks.
        classes: how many classes there are.
        block: height and width in pixels of what the first convolution takes at a time.
        dropout: share of the averages that a training step leaves out.
        name: of the network.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
    """
    inputs = keras.Input((side, side, 3), name="image")
    x = convolution(inputs, 24, size=block, strides=block)
    for filters in (48, 96):
        x = layers.MaxPooling2D()(x)
        x = convolution(x, filters)
    x = layers.Add()([x, convolution(x, 96)])
    x = layers.MaxPooling2D()(x)
    x = convolution(x, 128)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="scores")(x)
    return keras.Model(inputs, outputs, name=name)
