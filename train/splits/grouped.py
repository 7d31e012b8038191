"""Division that keeps groups of images undivided, and each class near its share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import SplitError
from train.splits.split import PARTS, VALIDATION_FRACTION, check_test_fraction

#: A division is taken if no class's share of any part is further from what was asked than this,
#: or than this part of what was asked, whichever is less.
TOLERANCE, RELATIVE_TOLERANCE = 0.02, 0.4

#: Random orders that are tried before the tolerance is doubled, and how often it is. The first that
#: fits is taken and not the best of many, which would be the same for many seeds.
_ATTEMPTS, _LEVELS = 400, 7


def grouped_split(
    targets: NDArray[np.int64],
    labels: Sequence[str],
    groups: NDArray[np.int64],
    test_fraction: float,
    seed: int,
    *,
    neighbours: bool = True,
) -> tuple[str, ...]:
    """Assign whole groups to parts at random, each class near its share of each part.

    A group that is much larger than the test part is never in it: in k folds each group is once.

    Random orders of the groups are tried: groups are put into the test part while they fit, then
    into validation, and what is left is for training. The first division that is within
    `TOLERANCE` for every class is taken; where none is found, the tolerance is doubled.

    Args:
        targets: each image's class; int64, shape (n,).
        labels: the classes' names.
        groups: each image's group; int64, shape (n,). A group may hold several classes.
        test_fraction: share of each class for the test part, below 0.9; 0 for no such part.
        seed: of the random orders.
        neighbours: groups of neighbouring numbers are alike (as `pseudo_groups` numbers them) and
            go into a part together: around a random group of each class. Otherwise any may.

    Returns:
        One of `PARTS` for each image.

    Raises:
        SplitError: the fraction is out of range, or a class has too few groups to be in every
            part.
    """
    check_test_fraction(test_fraction)
    members, counts = count_groups(targets, len(labels), groups)
    for target, label in enumerate(labels):
        found = int((counts[:, target] > 0).sum())
        if found < len(PARTS):
            raise too_few_groups(f"groups with images of class {label}: {found}")
    fractions = {"test": test_fraction, "validation": VALIDATION_FRACTION * (1.0 - test_fraction)}
    wanted = {part: share for part, share in fractions.items() if share}
    numbers = divide_groups(counts, (*wanted.values(),), seed, neighbours=neighbours)
    return tuple(np.array((*wanted, "train"))[numbers][members].tolist())


def count_groups(
    targets: NDArray[np.int64], classes: int, groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the images of each group and class.

    Args:
        targets: each image's class; int64, shape (n,).
        classes: how many there are.
        groups: each image's group; int64, shape (n,), with any numbers.

    Returns:
        Each image's row in the table (int64, shape (n,)), and the table (int64, shape
        (groups, classes)), in the order of the groups' numbers.
    """
    names, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), classes), np.int64)
    np.add.at(counts, (members, targets), 1)
    return np.asarray(members, np.int64), counts


def divide_groups(
    counts: NDArray[np.int64], fractions: Sequence[float], seed: int, *, neighbours: bool
) -> NDArray[np.int64]:
    """Divide groups into parts of about the given shares of each class.

    Args:
        counts: images of each group and class; int64, shape (groups, classes).
        fractions: share of each class for every part but the last, which gets the rest.
        seed: of the random orders.
        neighbours: see `grouped_split`.

    Returns:
        Each group's part, from 0 on; int64, shape (groups,).

    Raises:
        SplitError: no division was found that has each class in each part.
    """
    generator = np.random.default_rng(seed)
    totals = counts.sum(axis=0)
    shares = counts / np.maximum(totals, 1)
    wanted = np.array([*fractions, 1.0 - sum(fractions)])
    tolerance = np.minimum(TOLERANCE, RELATIVE_TOLERANCE * wanted)
    present = totals > 0
    for attempt in range(_LEVELS * _ATTEMPTS):
        allowed = tolerance * 2 ** (attempt // _ATTEMPTS)
        parts = _fill(shares, wanted, allowed, generator, neighbours)
        got = np.array([shares[parts == part].sum(axis=0) for part in range(len(wanted))])
        misses = np.abs(got - wanted[:, None])[:-1, present]
        if (got[:, present] > 0).all() and (misses <= allowed[:-1, None]).all():
            return parts
    raise too_few_groups("groups that cannot be dealt out so")


def too_few_groups(got: str) -> SplitError:
    """Return the error that a class is in too few groups to be in every part."""
    return SplitError(
        "Each part has images of each class, and no group is divided",
        got=got,
        next_step="Add images of other smears or subjects, or divide at random and say so",
    )


def _fill(
    shares: NDArray[np.float64],
    wanted: NDArray[np.float64],
    tolerance: NDArray[np.float64],
    generator: np.random.Generator,
    neighbours: bool,
) -> NDArray[np.int64]:
    """Put groups into each part in turn while no class overflows; the last part gets the rest."""
    last = len(wanted) - 1
    parts = np.full(len(shares), last, np.int64)
    for part in range(last):
        filled = np.zeros(shares.shape[1])
        left = np.flatnonzero(parts == last)
        for group in order_groups(shares, left, generator, neighbours=neighbours):
            after = filled + shares[group]
            touched = shares[group] > 0
            # A class that is not yet in the part takes even a group that is too large.
            fits = (after <= wanted[part] + tolerance[part]) | (filled == 0)
            short = (filled < wanted[part]) & touched
            if fits[touched].all() and short.any():
                parts[group] = part
                filled = after
    return parts


def order_groups(
    shares: NDArray[np.float64],
    left: NDArray[np.int64],
    generator: np.random.Generator,
    *,
    neighbours: bool,
) -> NDArray[np.int64]:
    """Order groups at random, or by how near they are to a random group of each class.

    Args:
        shares: of each class that each group holds; float64, shape (groups, classes).
        left: the groups to order; int64, shape (n,).
        generator: of the random choice.
        neighbours: groups of neighbouring numbers are alike.

    Returns:
        The same groups; int64, shape (n,).
    """
    if not neighbours:
        return generator.permutation(left)
    distance = np.full(len(left), len(shares), np.int64)
    for target in range(shares.shape[1]):
        inside = shares[left, target] > 0
        if inside.any():
            start = generator.choice(left[inside])
            distance[inside] = np.minimum(distance, np.abs(left - start))[inside]
    return left[np.argsort(distance, kind="stable")]
