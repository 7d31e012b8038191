"""Area under the receiver operating characteristic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def weighted_auroc(
    scores: NDArray[np.float32], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the chance that a positive image scores above a negative one, for many weightings.

    Hanley and McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic
    (ROC) Curve", Radiology 143 (1982): a tie counts half.

    Args:
        scores: higher for positive; float32, shape (n,).
        positive: shape (n,).
        weights: how often each image counts; float64, shape (draws, n).

    Returns:
        float64, shape (draws,); NaN where one of the two kinds weighs nothing.
    """
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    ordered = weights[:, order]
    of_positive = np.add.reduceat(ordered * positive[order], starts, axis=1)
    of_negative = np.add.reduceat(ordered * ~positive[order], starts, axis=1)
    below = np.cumsum(of_negative, axis=1) - of_negative / 2
    pairs = of_positive.sum(axis=1) * of_negative.sum(axis=1)
    above = (of_positive * below).sum(axis=1)
    return np.where(pairs > 0, above / np.where(pairs > 0, pairs, 1), np.nan)


def weighted_macro_auroc(
    scores: NDArray[np.float32], targets: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean over the classes of each one's AUROC against all others.

    Args:
        scores: class probabilities; float32, shape (n, classes).
        targets: the images' classes; int64, shape (n,).
        weights: how often each image counts; float64, shape (draws, n).

    Returns:
        float64, shape (draws,): the mean over the classes that have one; NaN where none has.
    """
    classes = scores.shape[1]
    areas = np.stack(
        [weighted_auroc(scores[:, index], targets == index, weights) for index in range(classes)]
    )
    known = np.isfinite(areas)
    counts = known.sum(axis=0)
    sums = np.where(known, areas, 0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
