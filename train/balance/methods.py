"""The ways to balance the classes, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from edge.errors import SplitError

Balance = Literal["none", "class-weights", "smote", "smote-features", "adasyn"]

#: Every way by name, and what it does.
BALANCES: dict[Balance, str] = {
    "none": "the classes as they are",
    "class-weights": "the loss of rarer classes counts more",
    "smote": "images between neighbours, found by their pixels",
    "smote-features": "images between neighbours, found by features",
    "adasyn": "as smote, more of them where classes meet",
}

#: Those that make new images.
SYNTHETIC: tuple[Balance, ...] = ("smote", "smote-features", "adasyn")

if set(BALANCES) != set(get_args(Balance)):  # pragma: no cover
    raise RuntimeError("BALANCES and Balance name the same ways")


def check_classes(targets: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Refuse a training part in which a class has too few images to make new ones from.

    Args:
        targets: class of each image of the training part; int64, shape (n,).
        labels: the classes' names.

    Raises:
        SplitError: a class has one training image alone, which has no neighbour.
    """
    counts = np.bincount(targets, minlength=len(labels))
    if counts.min() < 2 <= counts.max():
        label = labels[int(counts.argmin())]
        raise SplitError(
            "SMOTE needs two training images or more of each class",
            got=f"{counts.min()} of class {label}",
            next_step=f"Add images of class {label}, or train with --balance none",
        )


def class_weights(targets: NDArray[np.int64]) -> dict[int, float]:
    """Return each class's weight in the loss: n / (classes * images of the class).

    King & Zeng, "Logistic Regression in Rare Events Data", Political Analysis 9 (2001).
    """
    present, counts = np.unique(targets, return_counts=True)
    shares = len(targets) / (len(present) * counts)
    return {int(one): float(weight) for one, weight in zip(present, shares, strict=True)}
