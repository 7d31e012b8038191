"""Divisions of an image set, of any kind: one, several, or one for each fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import SplitError
from train.image_set import ImageSet
from train.splits.duplicates import duplicate_groups
from train.splits.folds import deal_folds
from train.splits.grouped import count_groups, divide_groups, grouped_split, too_few_groups
from train.splits.kinds import MOST_FOLDS, Fold, SplitKind
from train.splits.pseudo_groups import pseudo_groups
from train.splits.split import (
    PARTS,
    VALIDATION_FRACTION,
    Split,
    check_label_conflicts,
    random_split,
)
from train.splits.subjects import read_subjects, subject_groups
from train.splits.unseen_subjects import leave_subjects_out, subject_folds

#: Deals out the folds that trainings with any seed share.
FOLDS_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """What a kind of division keeps whole in an image set.

    Attributes:
        kind: the kind of division.
        duplicates: each image's group of near-identical images; int64, shape (n,).
        groups: each image's group that is never divided: a union of duplicates; int64, shape (n,).
    """

    kind: SplitKind
    duplicates: NDArray[np.int64]
    groups: NDArray[np.int64]


def find_groups(image_set: ImageSet, kind: SplitKind) -> Grouping:
    """Find what a kind of division keeps whole.

    Args:
        image_set: n images.
        kind: "random" keeps duplicates whole, "grouped" pseudo-groups, "subject" and
            "unseen-subjects" subjects.

    Raises:
        SplitError: an image is in two classes, or subjects are asked for and not in the names.
    """
    by_subject = kind in ("subject", "unseen-subjects")
    subjects = read_subjects(image_set.called) if by_subject else ()
    duplicates = duplicate_groups(image_set.digests, image_set.thumbnails)
    check_label_conflicts(duplicates, image_set.targets, image_set.paths)
    groups = duplicates
    if by_subject:
        groups = subject_groups(subjects, duplicates)
    elif kind == "grouped":
        groups = pseudo_groups(image_set, duplicates=duplicates)
    return Grouping(kind, duplicates, groups)


def divide(image_set: ImageSet, grouping: Grouping, test_fraction: float, seed: int) -> Split:
    """Divide an image set once.

    Args:
        image_set: n images.
        grouping: of these images, from `find_groups`.
        test_fraction: share of each class in the test part, below 0.9; 0 for no such part.
        seed: of the random order.

    Raises:
        SplitError: the fraction is out of range, or there are too few images or groups.
    """
    targets, labels, groups = image_set.targets, image_set.labels, grouping.groups
    if grouping.kind == "random":
        parts = random_split(targets, labels, groups, test_fraction, seed)
    elif grouping.kind == "unseen-subjects":
        duplicates = grouping.duplicates
        parts = leave_subjects_out(image_set, groups, duplicates, test_fraction, seed)
    else:
        _require_groups(image_set, grouping, len(PARTS), "three parts")
        neighbours = grouping.kind == "grouped"
        parts = grouped_split(targets, labels, groups, test_fraction, seed, neighbours=neighbours)
    return _split(image_set, grouping, parts, seed)


def repeats(
    image_set: ImageSet, grouping: Grouping, count: int, test_fraction: float, seed: int
) -> tuple[Split, ...]:
    """Divide an image set `count` times, with the seeds from `seed` on.

    Raises:
        SplitError: see `divide`; or the count is below 1.
    """
    if count < 1:
        raise SplitError("A set is divided once or more", got=count, next_step="Ask for 1 or more")
    return tuple(
        divide(image_set, grouping, test_fraction, one) for one in range(seed, seed + count)
    )


def k_folds(image_set: ImageSet, grouping: Grouping, folds: int, seed: int) -> tuple[Split, ...]:
    """Divide an image set so that each image is in the test part exactly once.

    Args:
        image_set: n images.
        grouping: of these images, from `find_groups`.
        folds: how many divisions, 2 or more. Each keeps a tenth of what is not in its test part
            for validation.
        seed: of the random order.

    Raises:
        SplitError: there are too few groups for so many folds.
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise SplitError(
            f"There are 2 to {MOST_FOLDS} folds", got=folds, next_step="Ask for 5, as is usual"
        )
    if grouping.kind == "unseen-subjects":
        divided = subject_folds(image_set, grouping.groups, grouping.duplicates, folds, seed)
        return tuple(
            _split(image_set, grouping, parts, seed, Fold(number, folds))
            for number, parts in enumerate(divided, start=1)
        )
    # Beside each fold, one group is left for validation and one for training.
    _require_groups(image_set, grouping, max(folds, 4 if folds == 2 else 3), f"{folds} folds")
    members, counts = count_groups(image_set.targets, len(image_set.labels), grouping.groups)
    neighbours = grouping.kind == "grouped"
    numbers = deal_folds(counts, folds, seed, neighbours=neighbours)
    splits = []
    for fold in range(folds):
        rest = np.flatnonzero(numbers != fold)
        inner = divide_groups(
            counts[rest], (VALIDATION_FRACTION,), seed + fold, neighbours=neighbours
        )
        group_parts = np.full(len(counts), "test", dtype="<U10")
        group_parts[rest] = np.array(("validation", "train"))[inner]
        parts = tuple(group_parts[members].tolist())
        splits.append(_split(image_set, grouping, parts, seed, Fold(fold + 1, folds)))
    return tuple(splits)


def _require_groups(image_set: ImageSet, grouping: Grouping, needed: int, whither: str) -> None:
    """Refuse a class whose images are of too few groups, and name them if they have names."""
    for target, label in enumerate(image_set.labels):
        inside = np.flatnonzero(image_set.targets == target)
        found = len(np.unique(grouping.groups[inside]))
        if found >= needed:
            continue
        noun = {
            "random": "images that are not copies of one another",
            "grouped": "pseudo-groups",
            "subject": "subjects",
        }[grouping.kind]
        names = ""
        if grouping.kind == "subject":
            subjects = read_subjects([image_set.called[index] for index in inside])
            names = f" ({', '.join(sorted(set(subjects)))})"
        raise too_few_groups(f"{noun} of class {label}: {found}{names}, for {whither}")


def _split(
    image_set: ImageSet,
    grouping: Grouping,
    parts: Sequence[str],
    seed: int,
    fold: Fold | None = None,
) -> Split:
    return Split(
        paths=image_set.paths,
        digests=image_set.digests,
        parts=tuple(parts),
        groups=tuple(grouping.groups.tolist()),
        kind=grouping.kind,
        seed=seed,
        fold=None if fold is None else str(fold),
    )
