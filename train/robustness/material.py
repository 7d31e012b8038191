"""The models and the images that a study of robustness takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from edge.errors import DatasetError, ModelFileError, TrainingError
from edge.preprocess import preprocess
from train.evaluation import EvaluationModel, load_evaluation_model
from train.evaluation.intervals import cluster_numbers
from train.evaluation.parts import choose_part, count_trained_on, find_groups
from train.image_set import ImageSet, Progress, read_image_set
from train.splits.split import read_split


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Models, and the images that all of them are tested on.

    Attributes:
        models: by the names that they have in tables and pictures.
        paths: of the models, in the same order.
        images: RGB, uint8, shape (n, height, width, 3), at the input size of the largest model.
        targets: each image's index into `labels`; int64, shape (n,).
        clusters: which images belong together, so that intervals draw them together: the split's
            groups, or each image alone where no split is known; int64, shape (n,).
        labels: the classes.
        part: of the split that the images belong to, or "all".
        n_in_part: how many images the part has, of which `images` may be a sample.
        trained_on: for each model, how many of the images it was trained on; None if not known.
        same_data: for each model, whether its card names this very set.
        data_digest: version of the data.
    """

    models: dict[str, EvaluationModel]
    paths: tuple[Path, ...]
    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    clusters: NDArray[np.int64]
    labels: tuple[str, ...]
    part: str
    n_in_part: int
    trained_on: tuple[int | None, ...]
    same_data: tuple[bool, ...]
    data_digest: str


def gather(
    paths: Sequence[Path],
    data: Path,
    *,
    part: str = "all",
    split_path: Path | None = None,
    per_class: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Material:
    """Load models and the images that they are tested on.

    Args:
        paths: run folders, `.keras` files or `.tflite` files; one or more.
        data: holds `<class>/` or `Original/<class>/` with images.
        part: "all", or one part of the split: "train", "validation" or "test".
        split_path: a `split.csv`; None takes each run's own, where there is one.
        per_class: take so many images of each class at random; None takes all.
        seed: of that choice.
        progress: called with (images read, images in all).

    Raises:
        ModelFileError, TrainingError: a model cannot be loaded, or they do not fit together.
        DatasetError: the images cannot be used, or none belongs to the part.
        SplitError: the file is no split.
    """
    models = dict(zip(_names(paths), map(load_evaluation_model, paths), strict=True))
    largest = max(models.values(), key=lambda model: model.height * model.width)
    image_set = read_image_set(
        data,
        largest.height,
        largest.width,
        _common_labels(models),
        progress,
        cell=largest.cell,
    )
    splits = [read_split(split_path) if split_path else one.split for one in models.values()]
    parts = [choose_part(image_set, part, split) for split in splits]
    if any(not np.array_equal(one, parts[0]) for one in parts):
        raise TrainingError(
            "Models that are compared are tested on the same images",
            got=f"runs with different {part} parts",
            next_step="Pass one split for all with --split RUN/split.csv",
        )
    chosen = _sample(image_set, parts[0], per_class, seed)
    grouped = next((split for split in splits if split is not None), None)
    groups = find_groups(image_set, chosen, grouped)
    return Material(
        models=models,
        paths=tuple(paths),
        images=image_set.images[chosen],
        targets=image_set.targets[chosen],
        clusters=cluster_numbers(groups, len(chosen)),
        labels=image_set.labels,
        part=part,
        n_in_part=len(parts[0]),
        trained_on=tuple(count_trained_on(image_set, chosen, split) for split in splits),
        same_data=tuple(one.data_digest == image_set.digest() for one in models.values()),
        data_digest=image_set.digest(),
    )


def predict_classes(
    model: EvaluationModel, images: NDArray[np.uint8], labels: Sequence[str]
) -> NDArray[np.int64]:
    """Return the class that a model gives each image.

    Args:
        model: the model.
        images: RGB, uint8, shape (n, height, width, 3); reduced to the model's input size by
            `edge.preprocess` where they are larger.
        labels: the classes.

    Returns:
        Indices into `labels`; int64, shape (n,).

    Raises:
        DatasetError: the model knows another number of classes.
    """
    if images.shape[1:3] != (model.height, model.width):
        images = np.stack([preprocess(image, model.height, model.width) for image in images])
    scores = model.score(images)
    if scores.shape[1] != len(labels):
        raise DatasetError(
            f"The data has a folder for each of the model's {scores.shape[1]} classes",
            got=", ".join(labels),
            next_step="Pass the run folder, which knows the classes' names",
        )
    return most_likely(scores, labels)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return short names, and whole paths where short ones would be alike."""
    short = [path.name or str(path) for path in paths]
    if len(set(paths)) < len(paths):
        raise ModelFileError(
            "Each model is named once", got=", ".join(map(str, paths)), next_step="Leave one out"
        )
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _common_labels(models: dict[str, EvaluationModel]) -> tuple[str, ...] | None:
    known = {name: model.labels for name, model in models.items() if model.labels is not None}
    if len(set(known.values())) > 1:
        raise ModelFileError(
            "Models that are compared know the same classes",
            got="; ".join(f"{name}: {', '.join(labels)}" for name, labels in known.items()),
            next_step="Compare them one by one",
        )
    return next(iter(known.values()), None)


def _sample(
    image_set: ImageSet, chosen: NDArray[np.int64], per_class: int | None, seed: int
) -> NDArray[np.int64]:
    """Return some of the positions, as many of each class, in the order in which they came."""
    if per_class is None:
        return chosen
    generator = np.random.default_rng(seed)
    targets = image_set.targets[chosen]
    kept = [
        generator.permutation(chosen[targets == target])[:per_class]
        for target in np.unique(targets)
    ]
    return np.sort(np.concatenate(kept))
