"""The images that a model got wrong, as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from train.evaluation.contact_sheet import Tile, draw_contact_sheet
from train.evaluation.evaluation import Evaluation

#: Most images on a sheet; the surest mistakes come first.
MOST_MISTAKES = 48

_COLUMNS = 6


def find_mistakes(
    scores: NDArray[np.float32], targets: NDArray[np.int64], labels: Sequence[str]
) -> NDArray[np.int64]:
    """Return the positions of the images that got another class, the surest mistake first.

    Args:
        scores: class probabilities; float32, shape (n, classes).
        targets: the images' classes; int64, shape (n,).
        labels: the classes' names.
    """
    wrong = np.flatnonzero(most_likely(scores, labels) != targets)
    return wrong[np.argsort(-scores[wrong].max(axis=1), kind="stable")].astype(np.int64)


def caption(evaluation: Evaluation, index: int) -> str:
    """Write an image's file name, true class and predicted class with their scores, in lines."""
    labels = evaluation.image_set.labels
    scores, target = evaluation.scores[index], int(evaluation.targets[index])
    predicted = int(most_likely(scores, labels))
    name = PurePosixPath(evaluation.paths[index]).name
    name = name if len(name) <= 30 else f"…{name[-29:]}"
    if predicted == target:
        return f"{name}\n{labels[target]} {scores[target]:.2f}"
    return (
        f"{name}\ntrue: {labels[target]} {scores[target]:.2f}\n"
        f"predicted: {labels[predicted]} {scores[predicted]:.2f}"
    )


def draw_mistakes(path: Path, evaluation: Evaluation) -> tuple[int, int]:
    """Draw the misclassified images as PNG, if there are any.

    Args:
        path: the PNG file.
        evaluation: whose images.

    Returns:
        How many are on the sheet, and how many there are in all.

    Raises:
        OutputError: the picture cannot be written.
    """
    mistakes = find_mistakes(evaluation.scores, evaluation.targets, evaluation.image_set.labels)
    shown = mistakes[:MOST_MISTAKES]
    if len(shown):
        images = evaluation.images[shown]
        tiles = [
            Tile(image, caption(evaluation, int(index)), True)
            for image, index in zip(images, shown, strict=True)
        ]
        draw_contact_sheet(path, tiles, _COLUMNS)
    return len(shown), len(mistakes)
