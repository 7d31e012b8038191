"""From a run folder to a one-file int8 model, or to none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.errors import DatasetError, ModelFileError, OutputError, QuantizationError
from edge.model_file import ModelFile, parse_model_file
from edge.output import require_absent, require_writable
from quantize.calibration import choose_calibration_images
from quantize.card import minimal_card, run_card
from quantize.convert import convert_to_int8
from quantize.gate import DEFAULT_MAX_DROP_POINTS, Comparison, check_drop, compare
from quantize.packing import pack_model, write_model
from train.evaluation import score_int8
from train.fitting import predict
from train.image_set import Progress, read_image_set
from train.run_folder import RunConfig, RunFolder
from train.splits.split import Split


@dataclass(frozen=True, slots=True)
class QuantizationResult:
    """An int8 model that passed the gate.

    Attributes:
        model: the file that was written.
        comparison: float against int8 on the test part.
        calibration_images: how many images its ranges were measured on.
    """

    model: ModelFile
    comparison: Comparison
    calibration_images: int


def quantize(
    run_path: Path,
    out: Path,
    *,
    max_drop_points: float = DEFAULT_MAX_DROP_POINTS,
    data: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> QuantizationResult:
    """Convert a run's network to int8 and write it if it is as good as the float one.

    Args:
        run_path: a finished run folder.
        out: the model file to write.
        max_drop_points: the largest loss of accuracy on the test part, in percentage points.
        data: the images, where they have moved since training; None takes the run's folder.
        overwrite: replace `out` if it exists. It stays as it is if the check fails.
        progress: called with (images read, images in all).

    Returns:
        The model written, and how it compares.

    Raises:
        AccuracyGateError: it lost more than allowed; nothing was written.
        QuantizationError: it cannot be converted, or the limit is no number.
        TrainingError, ModelFileError, DatasetError: the run or its images cannot be read.
        OutputError: `out` exists already, or cannot be written.
    """
    if not math.isfinite(max_drop_points):
        raise QuantizationError(
            "The largest drop is a number of percentage points",
            got=max_drop_points,
            next_step="Give --max-drop 0.5, say",
        )
    if out.is_dir():
        raise OutputError("The model is a file", got=f"the folder {out}", next_step="Name a file")
    require_writable(out)
    if not overwrite:
        require_absent(out, "Replace it with --overwrite, or choose another --out")
    run = RunFolder(run_path)
    config = run.read_config()
    network = _load_network(run.require_model())
    split = run.read_split()
    images, targets = _read_images(config, split, data, progress)
    calibration = choose_calibration_images(targets, split.indices("train"), config.seed)
    plain = convert_to_int8(network, images[calibration])
    test_part = split.indices("test")
    test_images, test_targets = images[test_part], targets[test_part]
    draft = pack_model(plain, minimal_card(config.network, config.labels, config.side, config.side))
    with Classifier(parse_model_file(out, draft)) as classifier:
        int8_scores = score_int8(classifier, test_images)
    comparison = compare(test_targets, predict(network, test_images), int8_scores, config.labels)
    check_drop(comparison, max_drop_points)
    card = run_card(config, comparison, len(calibration), max_drop_points)
    model = write_model(out, pack_model(plain, card))
    return QuantizationResult(model, comparison, len(calibration))


def _load_network(path: Path) -> keras.Model:
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        raise ModelFileError(
            f"The trained model {path} must be readable",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step="Train again, or go on with `blastscope train ... --resume`",
        ) from error


def _read_images(
    config: RunConfig, split: Split, data: Path | None, progress: Progress | None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the run's images and classes in the order of its split, found by their content."""
    folder = data if data is not None else Path(config.data)
    if not folder.is_dir():
        raise DatasetError(
            "Quantization reads the images that the run was trained on",
            got=f"no folder {folder}",
            next_step="Say where they are now with --data",
        )
    image_set = read_image_set(folder, config.side, config.side, config.labels, progress)
    places = {digest: index for index, digest in enumerate(image_set.digests)}
    missing = [
        path
        for path, digest in zip(split.paths, split.digests, strict=True)
        if digest not in places
    ]
    if missing:
        raise DatasetError(
            "Quantization reads the images that the run was trained on",
            got=f"{len(missing)} of {len(split.paths)} that are not under {folder}, or not as they "
            f"were: {', '.join(missing[:5])}",
            next_step="Say where they are now with --data, or train again",
        )
    order = [places[digest] for digest in split.digests]
    return image_set.images[order], image_set.targets[order]
