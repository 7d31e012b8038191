"""The networks whose features are studied, each with its own input size and preprocessing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import TrainingError
from train.deep_features.weights import IMAGENET, RANDOM, Weights
from train.weights_file import load_weights_file

#: Images that go through a network at once.
_BATCH = 16

#: Draws the weights of a network that has none, so that they are the same each time.
_RANDOM_SEED = 0


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network without its last layer.

    Attributes:
        name: what the command line calls it.
        module: of `keras.applications`, which has its preprocessing.
        builder: the function there that builds it.
        side: height and width of the input that it was made for, in pixels.
        features: how many numbers it gives for an image.
        files: what the names of files with its weights begin with, as Keras names them.
    """

    name: str
    module: str
    builder: str
    side: int
    features: int
    files: tuple[str, ...]


BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone("inception-v3", "inception_v3", "InceptionV3", 299, 2048, ("inception_v3_",)),
        Backbone("resnet101", "resnet", "ResNet101", 224, 2048, ("resnet101_",)),
        Backbone("vgg19", "vgg19", "VGG19", 224, 512, ("vgg19_",)),
        Backbone("densenet121", "densenet", "DenseNet121", 224, 1024, ("densenet121_",)),
        Backbone(
            "mobilenet-v2",
            "mobilenet_v2",
            "MobileNetV2",
            224,
            1280,
            ("mobilenet_v2_1.0_224_", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_"),
        ),
    )
}

#: Takes RGB uint8 images (n, side, side, 3), returns float32 features (n, features).
Extractor = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def build_backbone(backbone: Backbone, weights: Weights) -> Any:
    """Build a network with its weights; its output is the mean of its last feature map.

    Args:
        backbone: one of `BACKBONES`.
        weights: where its weights come from.

    Returns:
        A `keras.Model` that takes what `preprocess_input` of its module gives.

    Raises:
        TrainingError: the weights cannot be had, or belong to another network.
    """
    import keras

    build = getattr(import_module("keras.applications"), backbone.builder)
    options = {
        "include_top": False,
        "pooling": "avg",
        "input_shape": (backbone.side, backbone.side, 3),
    }
    if weights.source == IMAGENET:
        try:
            # Keras tells of its download on standard output, which is for results.
            with contextlib.redirect_stdout(sys.stderr):
                return build(weights="imagenet", **options)
        except Exception as error:
            raise TrainingError(
                f"The ImageNet weights of {backbone.name} must be downloaded once",
                got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
                next_step="Connect to the network, pass files with --weights-dir DIR, or give "
                "--weights none for random features",
            ) from error
    keras.utils.set_random_seed(_RANDOM_SEED)
    network = build(weights=None, **options)
    if weights.path is not None:
        load_weights_file(
            network,
            weights.path,
            f"those of {backbone.builder} without its top layer",
            "Pass the file that fits, or remove this one from the folder",
        )
    return network


def make_extractor(backbone: Backbone, network: Any) -> Extractor:
    """Return what gives a network's features for images.

    Args:
        backbone: one of `BACKBONES`.
        network: as `build_backbone` returns it.
    """
    prepare = import_module(f"keras.applications.{backbone.module}").preprocess_input

    def extract(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.empty((len(images), backbone.features), np.float32)
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH].astype(np.float32)
            rows[start : start + len(batch)] = np.asarray(network.predict_on_batch(prepare(batch)))
        return rows

    return extract


def column_name(backbone: str, source: str) -> str:
    """Return what tables call a backbone: random features are called so in every one of them.

    Args:
        backbone: its name.
        source: of its weights, as `train.deep_features.weights.Weights.source` has it.
    """
    return f"{backbone} (random features)" if source == RANDOM else backbone
