"""MobileNetV2 with a head of our own."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import keras
from keras import layers

from edge.errors import TrainingError
from train.weights_file import load_weights_file


def mobilenet_v2(
    side: int,
    classes: int,
    weights: str,
) -> keras.Model:
    """Build MobileNetV2 with a head for our classes in place of ImageNet's thousand.

    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018. Batch
    normalization keeps its ImageNet statistics: a smear batch is small and uniform, and does not
    give better ones.

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
        input_shape=(side, side, 3),
        include_top=False,
        weights=None,
        pooling="avg",
        name="backbone",
    )
    _load_backbone_weights(backbone, weights)
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    inputs = keras.Input((side, side, 3), name="image")
    features = backbone(inputs, training=False)
    head = keras.Sequential(
        [
            keras.Input((features.shape[-1],)),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax", dtype="float32", name="scores"),
        ],
        name="head",
    )
    return keras.Model(inputs, head(features), name="mobilenet-v2")


def _load_backbone_weights(backbone: keras.Model, weights: str) -> None:
    if weights == "none":
        return
    if weights == "imagenet":
        try:
            # Keras tells of its download on standard output, which is for results.
            with contextlib.redirect_stdout(sys.stderr):
                reference = keras.applications.MobileNetV2(
                    input_shape=(224, 224, 3),
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
    load_weights_file(
        backbone,
        path,
        "MobileNetV2's (alpha 1, without its top layer)",
        "Pass the file that fits, or use --weights imagenet",
    )
