"""Two rows of a study compared on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.evaluation.intervals import DRAWS, bootstrap_intervals, cluster_numbers
from train.studies.measurement import Measurement

#: How the intervals of differences are made, for the line below a table.
METHOD = f"paired bootstrap, {DRAWS} draws of groups of alike images, the seeds' images pooled"


def paired_difference(
    row: Sequence[Measurement],
    baseline: Sequence[Measurement],
    alteration: str,
    target: int | None = None,
) -> dict[str, Any] | None:
    """Return how many more images of a hundred one row classifies rightly than another.

    Both rows have the same splits, as `train.studies.engine.run_study` makes sure, so that each
    pair of runs has the same images. Images that a split holds together, and one image in the
    parts of several seeds, are drawn together.

    Args:
        row: one measurement for each seed.
        baseline: the other row's, in the same order.
        alteration: a name out of `train.studies.measurement`.
        target: the class whose images count; None for all.

    Returns:
        `n` (images times seeds), `points` and `points_ci95`; None where the alteration was not
        measured, or no image counts.
    """
    gains: list[NDArray[np.float64]] = []
    groups: list[NDArray[np.int64]] = []
    for one, other in zip(row, baseline, strict=True):
        if alteration not in one.predicted or alteration not in other.predicted:
            return None
        right = (one.predicted[alteration] == one.targets).astype(np.float64)
        before = (other.predicted[alteration] == other.targets).astype(np.float64)
        counts = slice(None) if target is None else one.targets == target
        gains.append((right - before)[counts])
        groups.append(one.groups[counts])
    gain = np.concatenate(gains)
    if not len(gain):
        return None

    def points(weights: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        return {"points": 100 * (weights @ gain) / weights.sum(axis=1)}

    clusters = cluster_numbers(np.concatenate(groups), len(gain))
    interval = bootstrap_intervals(points, clusters, seed=0)["points"]
    return {
        "n": len(gain),
        "points": 100 * float(gain.mean()),
        "points_ci95": None if interval is None else list(interval),
    }


def verdict(difference: Mapping[str, Any]) -> str | None:
    """Return "higher" or "lower" where a difference's interval leaves out 0, else None."""
    if difference["points_ci95"] is None:
        return None
    low, high = difference["points_ci95"]
    return "higher" if low > 0 else "lower" if high < 0 else None
