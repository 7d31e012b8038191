"""One network in every precision that TFLite has, to be compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import read_cell_crop
from edge.output import make_folder, require_absent, require_writable, whole_file
from quantize.calibration import choose_calibration_images
from quantize.card import minimal_card
from quantize.convert import convert_to_int8, representative_dataset, run_converter
from quantize.packing import pack_model
from quantize.run_images import read_run_images
from train.image_set import Progress
from train.networks.loading import load_network
from train.run_folder import RunFolder

#: The precisions, from the most exact to the smallest.
PRECISIONS = ("float32", "float16", "dynamic", "int16x8", "int8")


def write_precisions(
    run_path: Path, out: Path, *, data: Path | None = None, progress: Progress | None = None
) -> dict[str, Path]:
    """Convert a run's network to every precision.

    Nothing is checked here: `blastscope bench` measures what each costs, and `blastscope quantize`
    makes the model for a station.

    Args:
        run_path: a finished run folder.
        out: the folder to write; it must not exist yet.
        data: the images, where they have moved since training; None takes the run's folder.
        progress: called with (images read, images in all).

    Returns:
        The file of each of `PRECISIONS`. The int8 one carries the labels.

    Raises:
        TrainingError, ModelFileError, DatasetError, SplitError: the run or its images cannot be
            read.
        QuantizationError: the network cannot be converted.
        OutputError: `out` exists already, or cannot be written.
    """
    require_absent(out)
    require_writable(out)
    run = RunFolder(run_path)
    config, split = run.read_config(), run.read_split()
    network = load_network(run.require_model())
    images, targets = read_run_images(config, split, data, progress)
    chosen = choose_calibration_images(targets, split.indices("train"), config.seed)
    contents = convert_precisions(network, images[chosen])
    cell = read_cell_crop(config.cell)
    card = minimal_card(config.network, config.labels, config.side, config.side, cell=cell)
    contents["int8"] = pack_model(contents["int8"], card)
    make_folder(out)
    paths = {name: out / f"{name}.tflite" for name in PRECISIONS}
    for name, path in paths.items():
        with whole_file(path) as temporary:
            temporary.write_bytes(contents[name])
    return paths


def convert_precisions(
    network: keras.Model, calibration_images: NDArray[np.uint8]
) -> dict[str, bytes]:
    """Convert a network to every precision.

    * float32: weights and arithmetic as trained;
    * float16: weights stored in half precision, arithmetic in float32;
    * dynamic: weights int8, activations turned into int8 as they come;
    * int16x8: weights int8, activations int16;
    * int8: weights and activations int8, bytes in and out, as `blastscope quantize` makes it.

    All but the last take and give float32. TensorFlow, "Post-training quantization".

    Args:
        network: as `train.networks` builds them.
        calibration_images: RGB, uint8, shape (n, side, side, 3), n above 0.

    Returns:
        TFLite models without metadata, by the names in `PRECISIONS`.

    Raises:
        QuantizationError: TensorFlow is not the backend, or the converter refuses the network.
    """
    # First, since it also looks whether TensorFlow is the backend.
    int8 = convert_to_int8(network, calibration_images)
    import tensorflow as tf

    def halve(converter: Any) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    def quantize_weights(converter: Any) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]

    def widen_activations(converter: Any) -> None:
        operations = tf.lite.OpsSet
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset(calibration_images)
        converter.target_spec.supported_ops = [
            operations.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]

    contents = {
        "float32": _convert(network, "float32", lambda converter: None),
        "float16": _convert(network, "float16", halve),
        "dynamic": _convert(network, "dynamic", quantize_weights),
        "int16x8": _convert(network, "int16x8", widen_activations),
        "int8": int8,
    }
    return {name: contents[name] for name in PRECISIONS}


def _convert(network: keras.Model, name: str, ask: Callable[[Any], None]) -> bytes:
    """Convert a network; `ask` sets what the converter is asked for."""
    import tensorflow as tf

    def convert() -> Any:
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        ask(converter)
        return converter.convert()

    return run_converter(convert, name)
