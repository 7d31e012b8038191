"""Evaluation of a trained model, float or int8, on a folder of labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError
from edge.quality import MEASURED_SIDE
from train.evaluation.answers import answers_report
from train.evaluation.metrics import classification_report
from train.evaluation.models import EvaluationModel, load_evaluation_model, predicted_scores
from train.evaluation.parts import choose_part, count_trained_on, find_groups
from train.image_set import ImageSet, Progress, read_image_set
from train.splits.split import read_split


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A model's scores for images, and what they come to.

    Attributes:
        model: what was evaluated.
        image_set: all images that were read.
        chosen: positions of those that were scored; int64, shape (n,).
        groups: which of them belong together; int64, shape (n,); None where nothing is known.
        scores: float32, shape (n, classes).
        report: as `evaluate` returns it.
    """

    model: EvaluationModel
    image_set: ImageSet
    chosen: NDArray[np.int64]
    groups: NDArray[np.int64] | None
    scores: NDArray[np.float32]
    report: dict[str, Any]

    @property
    def images(self) -> NDArray[np.uint8]:
        """The images that were scored: RGB, uint8, shape (n, height, width, 3)."""
        return self.image_set.images[self.chosen]

    @property
    def targets(self) -> NDArray[np.int64]:
        """Their classes; int64, shape (n,)."""
        return self.image_set.targets[self.chosen]

    @property
    def paths(self) -> tuple[str, ...]:
        """Their paths relative to the set's folder."""
        return tuple(self.image_set.paths[place] for place in self.chosen)


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
        model_path: a run folder, a pipeline of deep features, a `.keras` file or a `.tflite` file.
        data: holds `<class>/` or `Original/<class>/` with images.
        part: "all", or one part of the split: "train", "validation" or "test".
        split_path: a `split.csv`; None takes the run's own, where there is one.
        progress: called with (images read, images in all).

    Returns:
        What `train.evaluation.metrics.classification_report` returns, with the groups of the
        split; with `part`; with `n_trained_on`: how many of the images the model was trained on
        (None if not known); with `split {kind, seed, fold}`, or None where all images are taken
        without one; with `data_sha256`: the version of the data; and with `same_data`:
        whether a `.tflite` file's card names this very set as what it was trained and tested on;
        of a `.tflite` file, `answers`, as `train.evaluation.answers.answers_report` returns it.

    Raises:
        ModelFileError, TrainingError: the model cannot be loaded.
        DatasetError: the images cannot be used, or none belongs to the part.
    """
    return run_evaluation(
        model_path, data, part=part, split_path=split_path, progress=progress
    ).report


def run_evaluation(
    model_path: Path,
    data: Path,
    *,
    part: str = "all",
    split_path: Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Do what `evaluate` does, and keep the images and scores beside the report."""
    model = load_evaluation_model(model_path)
    image_set = read_image_set(
        data, model.height, model.width, model.labels, progress, cell=model.cell
    )
    split = read_split(split_path) if split_path is not None else model.split
    chosen = choose_part(image_set, part, split)
    images = image_set.images[chosen]
    predictions = None
    if model.predict is not None:
        fields = images
        is_measured = (model.height, model.width) == (MEASURED_SIDE, MEASURED_SIDE)
        if not is_measured and model.cell is None:
            fields = read_image_set(data, MEASURED_SIDE, MEASURED_SIDE, model.labels).images[chosen]
        predictions = model.predict(images, fields)
    scores = model.score(images) if predictions is None else predicted_scores(predictions)
    if scores.shape[1] != len(image_set.labels):
        raise DatasetError(
            f"The data has a folder for each of the model's {scores.shape[1]} classes",
            got=f"{', '.join(image_set.labels)}",
            next_step="Evaluate the run folder, which knows the classes' names",
        )
    groups = find_groups(image_set, chosen, split)
    digest = image_set.digest()
    report = {
        **classification_report(image_set.targets[chosen], scores, image_set.labels, groups),
        "part": part,
        "n_trained_on": count_trained_on(image_set, chosen, split),
        "split": None
        if split is None
        else {"kind": split.kind, "seed": split.seed, "fold": split.fold},
        "data_sha256": digest,
        "same_data": model.data_digest is not None and model.data_digest == digest,
    }
    if predictions is not None:
        report["answers"] = answers_report(predictions, image_set.targets[chosen], image_set.labels)
    return Evaluation(model, image_set, chosen, groups, scores, report)
