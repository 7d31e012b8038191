"""Divisions that test on subjects whom training and validation have not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import SplitError
from train.image_set import ImageSet
from train.splits.duplicates import chained_pairs, connected_groups
from train.splits.folds import deal_folds
from train.splits.grouped import count_groups, divide_groups, too_few_groups
from train.splits.kinds import USUAL_FOLDS
from train.splits.split import VALIDATION_FRACTION, check_test_fraction
from train.splits.subjects import read_sources


def leave_subjects_out(
    image_set: ImageSet,
    subjects: NDArray[np.int64],
    duplicates: NDArray[np.int64],
    test_fraction: float,
    seed: int,
) -> tuple[str, ...]:
    """Divide an image set once, subjects of every class in the test part alone.

    Where a class has few subjects, as the healthy ones of C-NMC are, none can be spared for
    validation: that takes source images, the fields that cells were cut from, of the training's
    subjects. It serves for the temperature and the epoch, and flatters; figures are of the test
    part alone.

    Args:
        image_set: n images, whose names tell subjects and source images.
        subjects: each image's subject, those that share an image being one; int64, shape (n,).
        duplicates: each image's group of near-identical images; int64, shape (n,).
        test_fraction: share of each class for the test part, below 0.9; 0 for no such part.
        seed: of the division.

    Returns:
        One of `train.splits.split.PARTS` for each image.

    Raises:
        SplitError: the fraction is out of range, or a class has one subject only.
    """
    check_test_fraction(test_fraction)
    is_test = np.zeros(len(image_set), bool)
    if test_fraction:
        members, counts = count_groups(image_set.targets, len(image_set.labels), subjects)
        _require_subjects(image_set, counts, 2, "training and test part")
        numbers = divide_groups(counts, (test_fraction,), seed, neighbours=False)
        is_test = numbers[members] == 0
    return _with_validation(image_set, duplicates, is_test, seed)


def subject_folds(
    image_set: ImageSet,
    subjects: NDArray[np.int64],
    duplicates: NDArray[np.int64],
    folds: int,
    seed: int,
) -> tuple[tuple[str, ...], ...]:
    """Divide an image set into folds, so that each subject is in the test part once.

    Args:
        image_set: see `leave_subjects_out`, as for `subjects` and `duplicates`.
        subjects: each image's subject; int64, shape (n,).
        duplicates: each image's group of near-identical images; int64, shape (n,).
        folds: how many.
        seed: of the deal.

    Returns:
        For each fold, one of `train.splits.split.PARTS` for each image.

    Raises:
        SplitError: a class has fewer subjects than there are folds, or a fold would have one
            class only.
    """
    members, counts = count_groups(image_set.targets, len(image_set.labels), subjects)
    _require_subjects(image_set, counts, folds, f"{folds} folds")
    numbers = deal_folds(counts, folds, seed, neighbours=False)[members]
    return tuple(
        _with_validation(image_set, duplicates, numbers == fold, seed + fold)
        for fold in range(folds)
    )


def _require_subjects(
    image_set: ImageSet, counts: NDArray[np.int64], needed: int, whither: str
) -> None:
    """Refuse a class with fewer subjects than there are parts or folds to have one."""
    for target, label in enumerate(image_set.labels):
        found = int((counts[:, target] > 0).sum())
        if found < needed:
            raise too_few_groups(f"subjects of class {label}: {found}, for {whither}")


def _with_validation(
    image_set: ImageSet, duplicates: NDArray[np.int64], is_test: NDArray[np.bool_], seed: int
) -> tuple[str, ...]:
    """Take source images for validation out of what is not tested."""
    _, sources = np.unique(np.array(read_sources(image_set.called)), return_inverse=True)
    pairs = np.hstack([chained_pairs(sources.astype(np.int64)), chained_pairs(duplicates)])
    rest = np.flatnonzero(~is_test)
    fields = connected_groups(pairs, len(image_set))[rest]
    members, counts = count_groups(image_set.targets[rest], len(image_set.labels), fields)
    inner = divide_groups(counts, (VALIDATION_FRACTION,), seed, neighbours=False)
    parts = np.full(len(image_set), "test", dtype="<U10")
    parts[rest] = np.array(("validation", "train"))[inner][members]
    return tuple(parts.tolist())


def most_folds(targets: NDArray[np.int64], subjects: NDArray[np.int64]) -> int:
    """Return how many folds an image set allows: as many as its rarest class has subjects.

    Args:
        targets: each image's class; int64, shape (n,).
        subjects: each image's subject; int64, shape (n,).

    Returns:
        From 2 to `train.splits.kinds.USUAL_FOLDS`.

    Raises:
        SplitError: a class has one subject only, which cannot be in training and test both.
    """
    fewest = min(len(np.unique(subjects[targets == target])) for target in np.unique(targets))
    if fewest < 2:
        raise SplitError(
            "Each class has two subjects or more, one to train on and one to test on",
            got="a class whose images are all of one subject, or of subjects that share an image",
            next_step="Add images of other subjects",
        )
    return min(fewest, USUAL_FOLDS)
