"""Division of groups into folds that are as alike in size as the groups allow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.splits.grouped import order_groups, too_few_groups

#: Random deals that are tried before the evenest of them is taken.
_ATTEMPTS = 200

#: How much more of a class than its even share a fold may take, as a part of that share.
_EXCESS = 0.1


def deal_folds(
    counts: NDArray[np.int64], folds: int, seed: int, *, neighbours: bool
) -> NDArray[np.int64]:
    """Deal groups out to folds, each class evenly.

    scikit-learn's StratifiedGroupKFold is not taken, since it deals groups that are alike to
    different folds: here they go to the same one, so that a fold's stain is in no other.

    Args:
        counts: images of each group and class; int64, shape (groups, classes).
        folds: how many, 2 or more.
        seed: of the random deals.
        neighbours: see `train.splits.grouped.grouped_split`.

    Returns:
        Each group's fold, from 0 on; int64, shape (groups,).

    Raises:
        SplitError: no deal was found that has each class in each fold.
    """
    generator = np.random.default_rng(seed)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    present = counts.sum(axis=0) > 0
    best: tuple[float, NDArray[np.int64]] | None = None
    for _ in range(_ATTEMPTS):
        dealt = _deal(shares, folds, generator, neighbours)
        got = np.array([shares[dealt == fold].sum(axis=0) for fold in range(folds)])[:, present]
        unevenness = float(((got - 1.0 / folds) ** 2).sum())
        if (got > 0).all() and (best is None or unevenness < best[0]):
            best = (unevenness, dealt)
    if best is None:
        raise too_few_groups(f"groups that cannot be dealt out to {folds} folds")
    return best[1]


def _deal(
    shares: NDArray[np.float64], folds: int, generator: np.random.Generator, neighbours: bool
) -> NDArray[np.int64]:
    """Fill one fold after the other with its even share of what is left of each class."""
    dealt = np.full(len(shares), folds - 1, np.int64)
    for fold in range(folds - 1):
        left = np.flatnonzero(dealt == folds - 1)
        wanted = shares[left].sum(axis=0) / (folds - fold)
        filled = np.zeros(shares.shape[1])
        for group in order_groups(shares, left, generator, neighbours=neighbours):
            touched = shares[group] > 0
            after = filled + shares[group]
            fits = (after <= (1.0 + _EXCESS) * wanted) | (filled == 0)
            if fits[touched].all() and (filled < wanted)[touched].any():
                dealt[group] = fold
                filled = after
    return dealt
