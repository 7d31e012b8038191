"""Evaluation of a trained model, float or int8, on a folder of labelled images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.errors import DatasetError, ModelFileError, TrainingError
from train.image_set import ImageSet, Progress, read_image_set
from train.metrics import classification_report
from train.run_folder import RunFolder
from train.splits.split import PARTS, Split, read_split

#: Takes RGB uint8 images (n, height, width, 3), returns float32 scores (n, classes).
Scorer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class EvaluationModel:
    """A model made ready to score images.

    Attributes:
        score: takes RGB uint8 images (n, height, width, 3), returns float32 scores (n, classes).
        labels: the classes in the order of the scores; None where the file does not say, as a
            `.keras` file on its own.
        height: input height in pixels.
        width: input width in pixels.
        split: how the run that made it divided its images; None where that is not known.
        data_digest: version of the data that it was trained and tested on; None if not known.
    """

    score: Scorer
    labels: tuple[str, ...] | None
    height: int
    width: int
    split: Split | None
    data_digest: str | None = None


def load_evaluation_model(path: Path) -> EvaluationModel:
    """Load a run folder, a `.keras` file or a `.tflite` file.

    Only the first two need Keras.

    Args:
        path: the model.

    Raises:
        ModelFileError: the file is no such model.
        TrainingError, SplitError: the folder is no finished run.
    """
    if path.is_dir():
        run = RunFolder(path)
        config = run.read_config()
        return _load_keras(run.require_model(), tuple(config.labels), run.read_split())
    if path.suffix == ".keras":
        run = RunFolder(path.parent)
        if run.config.is_file():
            return _load_keras(path, tuple(run.read_config().labels), run.read_split())
        return _load_keras(path, None, None)
    classifier = Classifier.load(path)
    model = classifier.model
    return EvaluationModel(
        lambda images: score_int8(classifier, images),
        model.labels,
        model.height,
        model.width,
        None,
        model.card.get("training", {}).get("data_sha256"),
    )


def score_int8(classifier: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score images one by one with the runtime that a Pi uses.

    Args:
        classifier: the loaded int8 model.
        images: RGB, uint8, shape (n, height, width, 3).

    Returns:
        float32, shape (n, classes).
    """
    rows = [list(classifier.classify(image).scores.values()) for image in images]
    return np.array(rows, np.float32)


def evaluate(
    model_path: Path,
    data: Path,
    *,
    part: str = "all",
    split_path: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a folder of labelled images and report.

    Args:
        model_path: a run folder, a `.keras` file or a `.tflite` file.
        data: holds `<class>/` or `Original/<class>/` with images.
        part: "all", or one part of the split: "train", "validation" or "test".
        split_path: a `split.csv`; None takes the run's own, where there is one.
        progress: called with (images read, images in all).

    Returns:
        What `train.metrics.classification_report` returns, with `part`; with `n_trained_on`: how
        many of the images the model was trained on (None if not known); and with `same_data`:
        whether a `.tflite` file's card names this very set as what it was trained and tested on.

    Raises:
        ModelFileError, TrainingError: the model cannot be loaded.
        DatasetError: the images cannot be used, or none belongs to the part.
    """
    model = load_evaluation_model(model_path)
    image_set = read_image_set(data, model.height, model.width, model.labels, progress)
    split = read_split(split_path) if split_path is not None else model.split
    chosen = _choose(image_set, part, split)
    scores = model.score(image_set.images[chosen])
    if scores.shape[1] != len(image_set.labels):
        raise DatasetError(
            f"The data has a folder for each of the model's {scores.shape[1]} classes",
            got=f"{', '.join(image_set.labels)}",
            next_step="Evaluate the run folder, which knows the classes' names",
        )
    report = classification_report(image_set.targets[chosen], scores, image_set.labels)
    return {
        **report,
        "part": part,
        "n_trained_on": _count_trained_on(image_set, chosen, split),
        "same_data": model.data_digest is not None and model.data_digest == image_set.digest(),
    }


def _load_keras(path: Path, labels: tuple[str, ...] | None, split: Split | None) -> EvaluationModel:
    import keras

    from train.fitting import predict

    try:
        network = keras.models.load_model(path, compile=False)
        height, width, channels = network.input_shape[1:]
    except Exception as error:
        raise ModelFileError(
            f"The model {path} must be a .keras file with one image input",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step="Pass a run folder, or the model.keras inside it",
        ) from error
    if channels != 3 or height is None or width is None:
        raise ModelFileError(
            "A network takes RGB images of one size",
            got=f"{path} with input {network.input_shape}",
            next_step="Evaluate a network that blastscope trained",
        )
    return EvaluationModel(lambda images: predict(network, images), labels, height, width, split)


def _choose(image_set: ImageSet, part: str, split: Split | None) -> NDArray[np.int64]:
    """Return the positions of the images that belong to a part, found by their content."""
    if part == "all":
        return np.arange(len(image_set), dtype=np.int64)
    if part not in PARTS:
        raise TrainingError(
            f"The part is all, {', '.join(PARTS)}", got=part, next_step="Choose one of them"
        )
    if split is None:
        raise TrainingError(
            "A part can be chosen where the split is known",
            got="a model without one",
            next_step="Pass the run's split with --split RUN/split.csv",
        )
    inside = {digest for digest, one in zip(split.digests, split.parts, strict=True) if one == part}
    chosen = [index for index, digest in enumerate(image_set.digests) if digest in inside]
    if not chosen:
        raise DatasetError(
            f"The data holds images of the split's {part} part",
            got=f"none in {image_set.folder}",
            next_step="Pass the folder that the run was trained on, or leave --part out",
        )
    return np.array(chosen, np.int64)


def _count_trained_on(
    image_set: ImageSet, chosen: NDArray[np.int64], split: Split | None
) -> int | None:
    if split is None:
        return None
    trained_on = {
        digest for digest, one in zip(split.digests, split.parts, strict=True) if one == "train"
    }
    return sum(image_set.digests[index] in trained_on for index in chosen)
