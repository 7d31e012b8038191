"""MobileNetV2 with ImageNet's weights, quantized once for each file of weights and kept."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import OutputError
from edge.output import make_folder, whole_file, write_json
from edge.smear.field import render_field
from edge.smear.morphology import LABELS
from train.deep_features.feature_store import feature_folder, features_key
from train.deep_features.weights import RANDOM, Weights

#: Height and width of its input in pixels.
SIDE = 224

#: How long its embedding is.
LENGTH = 1280

#: Simulated fields of each class that ranges are measured on. No real image has a say in the
#: backbone, so that it is the same for every laboratory and every division of its images.
CALIBRATION_PER_CLASS = 12

_INT8, _FLOAT, _FACTS = "int8.tflite", "float32.tflite", "facts.json"

_log = logging.getLogger("blastscope.frozen_backbone")


@dataclass(frozen=True, slots=True, eq=False)
class FrozenBackbone:
    """A backbone in int8, and the float one that it was made of.

    Attributes:
        key: changes with the weights and with what quantized them.
        int8: a TFLite classifier, uint8 in and out, whose last layer is to be replaced.
        float32: a TFLite model from normalized images to embeddings.
    """

    key: str
    int8: bytes
    float32: bytes


def frozen_backbone(weights: Weights, tell: Callable[[str], None]) -> FrozenBackbone:
    """Return the backbone with some weights, quantizing it where that was not done yet.

    Args:
        weights: of MobileNetV2, alpha 1.0.
        tell: gets a line where it has to be quantized, which takes a minute.

    Raises:
        TrainingError: the weights cannot be had, or belong to another network.
        QuantizationError: it cannot be converted.
    """
    key = features_key(
        "MobileNetV2", SIDE, weights.identity, CALIBRATION_PER_CLASS, _converter_version()
    )
    features = feature_folder()
    folder = None if features is None else features.parent / "backbones" / key
    kept = None if folder is None else _read(folder, key)
    if kept is not None:
        return kept
    tell("Quantizing the backbone; it is kept for the next time ...")
    made = _make(key, weights)
    if folder is not None:
        _keep(folder, made)
    return made


def calibration_images() -> NDArray[np.uint8]:
    """Return the simulated fields that ranges are measured on; RGB, uint8, (n, SIDE, SIDE, 3)."""
    return np.stack(
        [
            render_field(label, seed, width=SIDE, height=SIDE)
            for label in LABELS
            for seed in range(CALIBRATION_PER_CLASS)
        ]
    )


def _converter_version() -> str:
    for package in ("tensorflow-cpu", "tensorflow"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(package)
    return "none"


def _make(key: str, weights: Weights) -> FrozenBackbone:
    from train.keras_loading import load_keras

    load_keras()
    import keras
    import tensorflow as tf

    from quantize.convert import convert_to_int8, run_converter
    from train.networks.mobilenet_v2 import mobilenet_v2

    keras.utils.set_random_seed(0)
    source = RANDOM if weights.source == RANDOM else str(weights.path or weights.source)
    network = mobilenet_v2(SIDE, len(LABELS), source)
    int8 = convert_to_int8(network, calibration_images())
    backbone = network.get_layer("backbone")
    float32 = run_converter(
        lambda: tf.lite.TFLiteConverter.from_keras_model(backbone).convert(), "float32"
    )
    return FrozenBackbone(key, int8, float32)


def _keep(folder: Path, made: FrozenBackbone) -> None:
    contents = {_INT8: made.int8, _FLOAT: made.float32}
    try:
        make_folder(folder)
        for name, content in contents.items():
            with whole_file(folder / name) as temporary:
                temporary.write_bytes(content)
        # Last, since it is what makes the others count.
        write_json(folder / _FACTS, {name: _digest(one) for name, one in contents.items()})
    except OutputError as error:
        _log.warning("The quantized backbone cannot be kept for the next time. %s", error)


def _read(folder: Path, key: str) -> FrozenBackbone | None:
    """Return what is kept; None where it is not there, or damaged."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        contents = [(folder / name).read_bytes() for name in (_INT8, _FLOAT)]
        if [facts[_INT8], facts[_FLOAT]] != [_digest(one) for one in contents]:
            raise ValueError("another SHA-256")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        _log.warning("A damaged backbone is quantized anew: %s", folder)
        return None
    return FrozenBackbone(key, *contents)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
