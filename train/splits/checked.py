"""Divisions that a run may rest on: made or given in, and checked for leaks either way."""

from __future__ import annotations

from train.image_set import ImageSet
from train.splits.division import FOLDS_SEED, divide, find_groups, k_folds
from train.splits.given import match_split
from train.splits.kinds import Fold, SplitKind
from train.splits.leakage import check_leakage
from train.splits.split import Split


def make_split(
    image_set: ImageSet,
    kind: SplitKind,
    test_fraction: float,
    seed: int,
    fold: Fold | None = None,
) -> Split:
    """Divide an image set, and make sure that nothing leaks.

    Args:
        image_set: n images.
        kind: what is kept together.
        test_fraction: share of each class in the test part, below 0.9, and 0 for no such part; not
            heeded where there is a fold.
        seed: of the random order; not heeded where there is a fold, since the folds of a set are
            the same for every seed: trainings with other seeds then test each image once.
        fold: which of how many parts is the test part; None for a single division.

    Raises:
        SplitError: the set cannot be divided so.
        LeakageError: the division leaks.
    """
    grouping = find_groups(image_set, kind)
    if fold is None:
        split = divide(image_set, grouping, test_fraction, seed)
    else:
        split = k_folds(image_set, grouping, fold.folds, FOLDS_SEED)[fold.number - 1]
    check_leakage(split, image_set, grouping)
    return split


def take_split(image_set: ImageSet, split: Split) -> Split:
    """Bring a division that was read from a file into the set's order, and check it.

    Args:
        image_set: n images.
        split: of the same images.

    Raises:
        SplitError: it is not of these images.
        LeakageError: it leaks, as computed anew from the images.
    """
    matched = match_split(split, image_set)
    check_leakage(matched, image_set)
    return matched
