"""The custom CNN in its published form."""

from __future__ import annotations

import keras
from keras import layers


def custom_cnn_paper(side: int, classes: int) -> keras.Model:
    """Build the form that Tamim et al. describe (arXiv 2501.14228).

    Convolutions, each paired with max pooling, then dense layers and softmax. The abstract gives
    no widths; those here are the usual doubling from 32.

    Args:
        side: height and width of the input in pixels; a multiple of 16.
        classes: how many classes there are.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
    """
    inputs = keras.Input((side, side, 3), name="image")
    x = inputs
    for filters in (32, 64, 128, 128):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="scores")(x)
    return keras.Model(inputs, outputs, name="custom-cnn-paper")
