"""How much alike the errors on images of one smear are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from edge.labels import benign_label
from train.evaluation.intervals import bootstrap_intervals, cluster_numbers


def error_correlation(
    scores: NDArray[np.float32],
    targets: NDArray[np.int64],
    labels: Sequence[str],
    groups: NDArray[np.int64],
    seed: int = 0,
) -> dict[str, Any]:
    """Measure the intra-class correlation of being right, within a group and a class.

    Benign against malignant, and for the classes.

    Args:
        scores: float32, shape (n, classes).
        targets: true classes; int64, shape (n,).
        labels: the classes' names; one of them is the benign one.
        groups: what is of one smear, by number; int64, shape (n,).
        seed: of the intervals' draws.

    Returns:
        `n`, `groups`; `malignant` and `classes`, each with `errors`, `correlation` (None where
        nothing or everything is wrong, or no group has two images) and `correlation_ci95` (groups
        drawn anew; None where there are too few with errors).
    """
    told = most_likely(scores, labels)
    benign = benign_label(labels)
    is_benign = np.array([label == benign for label in labels])
    sides = is_benign[targets].astype(np.int64)
    return {
        "n": len(targets),
        "groups": len(np.unique(groups)),
        "malignant": _measured(is_benign[told] == is_benign[targets], sides, groups, seed),
        "classes": _measured(told == targets, sides, groups, seed),
    }


def _measured(
    right: NDArray[np.bool_], strata: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> dict[str, Any]:
    clusters = cluster_numbers(groups, len(right))

    def figures(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        values = [_pairwise(right, strata, clusters, weight) for weight in weights]
        return {"correlation": np.array(values, np.float64)}

    value = float(figures(np.ones((1, len(right))))["correlation"][0])
    interval = bootstrap_intervals(figures, clusters, seed)["correlation"]
    return {
        "errors": int((~right).sum()),
        "correlation": value if np.isfinite(value) else None,
        "correlation_ci95": interval,
    }


def _pairwise(
    right: NDArray[np.bool_],
    strata: NDArray[np.int64],
    clusters: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> float:
    """Return the mean product of deviations over pairs of one cluster, over the variance.

    The pairwise estimator of Karlin, Cameron and Williams, "Sibling and Parent-Offspring
    Correlation Estimation with Variable Family Size", PNAS 78 (1981), with weights by pairs, as
    compared in Ridout, Demetrio and Firth, "Estimating Intraclass Correlation for Binary Data",
    Biometrics 55 (1999). Strata have means of their own, and their pairs are pooled.
    """
    shared = spread = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        weight, values = weights[inside], right[inside].astype(np.float64)
        if weight.sum() == 0.0:
            continue
        mean = float((weight * values).sum() / weight.sum())
        away = values - mean
        _, numbers = np.unique(clusters[inside], return_inverse=True)
        # A cluster that is drawn twice counts twice, and its copies make no pairs.
        times = np.zeros(numbers.max() + 1)
        times[numbers] = weight
        sums = np.bincount(numbers, away)
        squares = np.bincount(numbers, away**2)
        sizes = np.bincount(numbers).astype(np.float64)
        shared += float((times * (sums**2 - squares)).sum())
        spread += float((times * sizes * (sizes - 1.0)).sum()) * mean * (1.0 - mean)
    return shared / spread if spread > 0.0 else float("nan")
