"""Groups stay whole, classes get their share, and seeds differ."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import SplitError
from train.splits.folds import deal_folds
from train.splits.grouped import count_groups, grouped_split
from train.splits.split import PARTS


def _set(groups_per_class: int = 15, size: int = 8) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Three classes; a fifth of the groups hold images of two of them."""
    targets = np.repeat(np.arange(3), groups_per_class * size)
    groups = np.repeat(np.arange(3 * groups_per_class), size)
    targets[:: 5 * size] = (targets[:: 5 * size] + 1) % 3
    return targets.astype(np.int64), groups.astype(np.int64)


@pytest.mark.parametrize("neighbours", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_groups_never_cross_and_classes_get_their_share(seed: int, neighbours: bool) -> None:
    targets, groups = _set()
    parts = np.array(grouped_split(targets, "abc", groups, 0.2, seed, neighbours=neighbours))
    for group in np.unique(groups):
        assert len(set(parts[groups == group])) == 1
    for target in range(3):
        inside = parts[targets == target]
        assert np.mean(inside == "test") == pytest.approx(0.2, abs=0.08)
        assert set(inside) == set(PARTS)


def test_seeds_choose_different_groups() -> None:
    targets, groups = _set()
    chosen = {grouped_split(targets, "abc", groups, 0.2, seed) for seed in range(8)}
    assert len(chosen) >= 7
    assert grouped_split(targets, "abc", groups, 0.2, 3) == grouped_split(
        targets, "abc", groups, 0.2, 3
    )


def test_neighbours_go_into_the_test_part_together() -> None:
    """Of one class, with groups numbered by their looks: one run of numbers."""
    targets = np.repeat([0, 1], 200).astype(np.int64)
    groups = np.repeat(np.arange(40), 10).astype(np.int64)
    for seed in range(5):
        parts = np.array(grouped_split(targets, "ab", groups, 0.2, seed))
        for half in (slice(0, 200), slice(200, 400)):
            numbers = np.unique(groups[half][parts[half] == "test"])
            assert numbers.max() - numbers.min() + 1 == len(numbers)


def test_too_few_groups_are_refused() -> None:
    targets = np.repeat([0, 1], 50).astype(np.int64)
    groups = np.repeat(np.arange(10), 10).astype(np.int64)
    groups[50:] = np.repeat([5, 6], 25)
    with pytest.raises(SplitError, match="Got: groups with images of class rare: 2"):
        grouped_split(targets, ("usual", "rare"), groups, 0.2, 0)


def test_groups_that_tie_classes_together_are_refused() -> None:
    """Three groups of each class, and the same three: there is no way to stratify but theirs."""
    targets = np.tile([0, 1], 30).astype(np.int64)
    groups = np.repeat([0, 1, 2], 20).astype(np.int64)
    parts = np.array(grouped_split(targets, "ab", groups, 0.2, 0))
    assert {tuple(set(parts[groups == group])) for group in range(3)} == {
        ("train",),
        ("validation",),
        ("test",),
    }


@pytest.mark.parametrize("neighbours", [True, False])
@pytest.mark.parametrize("folds", [2, 5, 10])
def test_folds_are_even(folds: int, neighbours: bool) -> None:
    targets, groups = _set()
    members, counts = count_groups(targets, 3, groups)
    dealt = deal_folds(counts, folds, 0, neighbours=neighbours)[members]
    assert set(dealt) == set(range(folds))
    for target in range(3):
        sizes = np.bincount(dealt[targets == target], minlength=folds)
        assert sizes.min() > 0
        assert sizes.max() <= 2.2 * len(dealt) / 3 / folds


def test_group_larger_than_a_fold_leaves_the_rest_even() -> None:
    counts = np.array([[50], *([10] for _ in range(10))], np.int64)
    dealt = deal_folds(counts, 5, 1, neighbours=False)
    sizes = np.bincount(dealt, weights=counts[:, 0])
    assert sorted(sizes) == [20, 20, 30, 30, 50]


def test_more_folds_than_groups_are_refused() -> None:
    counts = np.full((4, 2), 5, np.int64)
    with pytest.raises(SplitError, match="5 folds"):
        deal_folds(counts, 5, 0, neighbours=False)
