"""The networks: each takes normalized RGB images and gives class probabilities.

A byte q enters as `edge.preprocess` says: (q - INPUT_MEAN) / INPUT_STD, so -1 <= x < 1.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import keras
from keras import layers

from edge.errors import TrainingError


def custom_cnn(side: int, classes: int) -> keras.Model:
    """Build blastscope's own small network, of 386,000 parameters at four classes.

    Six convolutions with batch normalization, the first four paired with max pooling; then global
    average pooling in place of the usual flattening (98 % of the parameters of a flattening
    network sit in its first dense layer) and two dense layers. The first convolution takes every
    second pixel, so that the network sees a 224-pixel field unresized at the cost of a 112-pixel
    one.

    Args:
        side: height and width of the input in pixels; a multiple of 32.
        classes: how many classes there are.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
    """
    inputs = keras.Input((side, side, 3), name="image")
    x = _convolution(inputs, 16, strides=2)
    x = layers.MaxPooling2D()(x)
    for filters in (32, 64, 96):
        x = _convolution(x, filters)
        x = layers.MaxPooling2D()(x)
    x = _convolution(x, 128)
    x = _convolution(x, 160)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model(inputs, outputs, name="custom-cnn")


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
    outputs = layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model(inputs, outputs, name="custom-cnn-paper")


def mobilenet_v2(side: int, classes: int, weights: str) -> keras.Model:
    """Build MobileNetV2 with a head for our classes in place of ImageNet's thousand.

    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018. Batch
    normalization keeps its ImageNet statistics throughout: a smear batch is too small and too
    uniform to give better ones.

    Args:
        side: height and width of the input in pixels.
        classes: how many classes there are.
        weights: "imagenet" (downloaded by Keras), "none" (random), or the path of a
            `.weights.h5` file without ImageNet's top layer.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
        Its layers `backbone` and `head` are models of their own.

    Raises:
        TrainingError: the weights cannot be had, or belong to another network.
    """
    backbone = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=None, pooling="avg", name="backbone"
    )
    _load_backbone_weights(backbone, side, weights)
    for layer in backbone.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    inputs = keras.Input((side, side, 3), name="image")
    features = backbone(inputs, training=False)
    head = keras.Sequential(
        [
            keras.Input((features.shape[-1],)),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name="head",
    )
    return keras.Model(inputs, head(features), name="mobilenet-v2")


def _convolution(x: Any, filters: int, strides: int = 1) -> Any:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)


def _load_backbone_weights(backbone: keras.Model, side: int, weights: str) -> None:
    if weights == "none":
        return
    if weights == "imagenet":
        try:
            # Keras tells of its download on standard output, which is for results.
            with contextlib.redirect_stdout(sys.stderr):
                reference = keras.applications.MobileNetV2(
                    input_shape=(side, side, 3),
                    include_top=False,
                    weights="imagenet",
                    pooling="avg",
                )
        except Exception as error:
            raise TrainingError(
                "The ImageNet weights must be downloaded once",
                got=f"{type(error).__name__}: {error}",
                next_step="Connect to the network, or pass a file with --weights PATH",
            ) from error
        backbone.set_weights(reference.get_weights())
        return
    path = Path(weights)
    if not path.is_file():
        raise TrainingError(
            "--weights is `imagenet`, `none` or the path of a .weights.h5 file",
            got=weights,
            next_step="Check the path",
        )
    try:
        backbone.load_weights(path)
    except Exception as error:
        raise TrainingError(
            "The weights must be MobileNetV2's (alpha 1.0, without its top layer)",
            got=f"{path}: {' '.join(str(error).split())[:200]}",
            next_step="Pass the file that fits, or use --weights imagenet",
        ) from error
