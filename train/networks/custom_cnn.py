"""blastscope's own small network."""

from __future__ import annotations

import keras
from keras import layers

from train.networks.convolution import convolution


def custom_cnn(side: int, classes: int) -> keras.Model:
    """Build the network, of 535,000 parameters at four classes.

    Six convolutions with batch normalization, between which max pooling halves the map four times,
    one of them with a way around it (He et al., arXiv 1512.03385), then global average pooling in
    place of the usual flattening (98 % of the parameters of a flattening network sit in its first
    dense layer) and one dense layer, so that class activation maps are exact. The first
    convolution takes every second pixel, so that the network sees a 224-pixel field unresized at
    the cost of a 112-pixel one.

    Args:
        side: height and width of the input in pixels; a multiple of 32.
        classes: how many classes there are.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
    """
    inputs = keras.Input((side, side, 3), name="image")
    x = convolution(inputs, 24, strides=2)
    for filters in (48, 96, 128):
        x = layers.MaxPooling2D()(x)
        x = convolution(x, filters)
    x = layers.Add()([x, convolution(x, 128)])
    x = layers.MaxPooling2D()(x)
    x = convolution(x, 192)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="scores")(x)
    return keras.Model(inputs, outputs, name="custom-cnn")
