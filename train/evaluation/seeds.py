"""One figure over several seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: The figures that are summarized, by their place in a report.
SUMMARIZED = (
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "auroc",
    "brier",
    "ece",
    "malignant.sensitivity",
    "malignant.specificity",
    "malignant.auroc",
)


def summarize_seeds(reports: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return mean and spread of the main figures over the runs of several seeds.

    The interval is Student's: mean ± t(0.975, k - 1) · s / √k, with s the standard deviation of
    the k values with divisor k - 1 ("Student", "The Probable Error of a Mean", Biometrika 6,
    1908), cut off at the figure's own limits of 0 and 1 (2 for Brier). It tells how the figure
    varies with the seed: how the images are divided, where the weights start and in what order
    images come. It does not tell how it varies with other images, since all seeds share one set.

    Args:
        reports: what `train.evaluation.metrics.classification_report` returns, one for each seed.

    Returns:
        For each name in `SUMMARIZED` that some report has: `seeds, values, mean,
        standard_deviation, min, max, ci95`. Seeds whose report lacks the figure are left out of it;
        with fewer than two, `standard_deviation` and `ci95` are None.
    """
    summary = {}
    for name in SUMMARIZED:
        values = [value for report in reports if (value := _find(report, name)) is not None]
        if values:
            summary[name] = summarize_values(values, highest=2.0 if name == "brier" else 1.0)
    return summary


def summarize_values(
    values: Sequence[float], *, lowest: float = 0.0, highest: float = 1.0
) -> dict[str, Any]:
    """Return mean and spread of one figure over several seeds, as `summarize_seeds` has them.

    Args:
        values: the figure of each seed; one or more.
        lowest: the figure's lower limit, at which the interval is cut off.
        highest: its upper limit.
    """
    from scipy.stats import t

    k, mean = len(values), float(np.mean(values))
    deviation, interval = None, None
    if k > 1:
        deviation = float(np.std(values, ddof=1))
        spread = float(t.ppf(0.975, k - 1)) * deviation / math.sqrt(k)
        interval = [max(lowest, mean - spread), min(highest, mean + spread)]
    return {
        "seeds": k,
        "values": list(values),
        "mean": mean,
        "standard_deviation": deviation,
        "min": min(values),
        "max": max(values),
        "ci95": interval,
    }


def _find(report: Mapping[str, Any], name: str) -> float | None:
    value: Any = report
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else float(value)
