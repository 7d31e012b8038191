"""From a run folder to a one-file int8 model, or to none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras

from edge.classifier import Classifier
from edge.errors import DatasetError, ModelFileError
from edge.model_file import ModelFile, parse_model_file
from edge.output import require_absent
from quantize.calibration import choose_calibration_images
from quantize.card import minimal_card, run_card
from quantize.convert import convert_to_int8
from quantize.gate import Comparison, check_drop, compare
from quantize.packing import pack_model, write_model
from train.evaluation import score_int8
from train.fitting import predict
from train.image_set import ImageSet, Progress, read_image_set
from train.run_folder import RunConfig, RunFolder
from train.split import Split

#: The largest loss of accuracy on the test part that a model may have, in percentage points.
DEFAULT_MAX_DROP_POINTS = 0.5


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
        QuantizationError: it cannot be converted.
        TrainingError, DatasetError: the run or its images cannot be read.
        OutputError: `out` exists already, or cannot be written.
    """
    if not overwrite:
        require_absent(out, "Replace it with --overwrite, or choose another --out")
    run = RunFolder(run_path)
    config = run.read_config()
    network = _load_network(run.require_model())
    split = run.read_split()
    image_set = _read_images(config, split, data, progress)
    calibration = choose_calibration_images(image_set.targets, split.indices("train"), config.seed)
    plain = convert_to_int8(network, image_set.images[calibration])
    test_part = split.indices("test")
    images, targets = image_set.images[test_part], image_set.targets[test_part]
    draft = pack_model(plain, minimal_card(config.network, config.labels, config.side, config.side))
    with Classifier(parse_model_file(out, draft)) as classifier:
        int8_scores = score_int8(classifier, images)
    comparison = compare(targets, predict(network, images), int8_scores, config.labels)
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
) -> ImageSet:
    """Read the images that the run was trained on, and make sure that they are the same."""
    folder = data if data is not None else Path(config.data)
    image_set = read_image_set(folder, config.side, config.side, config.labels, progress)
    if image_set.paths != split.paths or image_set.digests != split.digests:
        raise DatasetError(
            "The images are those that the run was trained on",
            got=f"{len(image_set)} images under {folder}, {len(split.paths)} in the run's split, "
            "and not all the same",
            next_step="Pass the folder as it was with --data, or train again",
        )
    return image_set
