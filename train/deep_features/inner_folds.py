"""Folds inside a training part, which choose a pipeline's settings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from edge.errors import SplitError
from train.splits.folds import deal_folds
from train.splits.grouped import count_groups
from train.splits.kinds import SplitKind

#: How many there are.
INNER_FOLDS = 3


def inner_folds(
    targets: NDArray[np.int64], groups: NDArray[np.int64], kind: SplitKind, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield for each fold the positions to fit on and those to score on.

    What the outer division keeps on one side, the inner one does too: duplicates under a random
    split; under a grouped one pseudo-groups, those that are alike in the same fold.

    Args:
        targets: classes of a training part; int64, shape (n,).
        groups: each image's group in the outer division; int64, shape (n,).
        kind: of the outer division.
        seed: of the random deal.

    Raises:
        SplitError: a class has too few groups.
    """
    labels = np.unique(targets)
    for label in labels:
        if len(np.unique(groups[targets == label])) < INNER_FOLDS:
            raise SplitError(
                f"Each class of a training part has {INNER_FOLDS} groups or more, one for each "
                "inner fold",
                got=f"fewer in class number {label + 1}",
                next_step="Add images, or raise --limit",
            )
    if kind == "random":
        folds = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
        yield from folds.split(np.zeros(len(targets)), targets, groups)
        return
    members, counts = count_groups(targets, int(labels.max()) + 1, groups)
    neighbours = kind == "grouped"
    dealt = deal_folds(counts, INNER_FOLDS, seed, neighbours=neighbours)[members]
    for fold in range(INNER_FOLDS):
        yield np.flatnonzero(dealt != fold), np.flatnonzero(dealt == fold)
