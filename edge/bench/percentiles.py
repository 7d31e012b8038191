"""Percentiles of latencies, bounds on them that hold with 99 % confidence, and ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

#: Of the early-stopping estimate, as in MLPerf Inference.
CONFIDENCE = 0.99

#: The percentiles that get an early-stopping estimate: MLPerf's of a single stream and of several.
ESTIMATED = (90, 99)


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """MLPerf's early-stopping estimate of a percentile.

    Attributes:
        percentile: such as 99.
        estimate_ms: the percentile is at most this, with 99 % confidence; None where there are
            too few samples to say so.
        discarded: how many higher samples were left aside; 0 where there is no estimate.
        needed: the least number of samples that gives an estimate.
    """

    percentile: int
    estimate_ms: float | None
    discarded: int
    needed: int


def order_statistic(ordered: Sequence[float], percentile: int) -> float:
    """Return a percentile as one of the samples: the smallest that so many are not above.

    Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50
    (1996), definition 1.

    Args:
        ordered: the samples, the smallest first; one or more.
        percentile: above 0 and at most 100.
    """
    return ordered[max(1, math.ceil(percentile * len(ordered) / 100)) - 1]


def ratio_in_turns(ours: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """Return how many times as long one job takes as another that it took turns with.

    A machine whose load changes meanwhile slows both of a turn, but not all turns alike: the ratio
    of medians over all runs then depends on which of the two met more of it.

    Args:
        ours: times of the one job's runs in each turn, above 0; no turn is empty.
        others: of the other's in the same turns.

    Returns:
        The median over the turns of the ratio of both medians.
    """
    return median(median(mine) / median(its) for mine, its in zip(ours, others, strict=True))


def early_stopping(ordered: Sequence[float], percentile: int) -> EarlyStopping:
    """Estimate a percentile from above, as MLPerf Inference does for a single stream.

    If more than a share 1 - p of all queries took longer than L, then t or fewer of n samples do
    so with a probability of at most P(Binomial(n, 1 - p) <= t). The largest t for which this is
    at most 1 % is sought; t - 1 samples are discarded, and the highest that is left is the
    estimate. The rule wants t of 1 or more, so that the estimate itself counts as over: 64 samples
    for p90 and 662 for p99.

    MLCommons, "MLPerf Inference Rules", section "Early Stopping Criterion" (tolerance 0); Reddi
    et al., "MLPerf Inference Benchmark", arXiv 1911.02549.

    Args:
        ordered: latencies in milliseconds, the smallest first.
        percentile: above 0 and below 100.
    """
    over = _most_over(len(ordered), percentile)
    needed = samples_needed(percentile)
    if over < 1:
        return EarlyStopping(percentile, None, 0, needed)
    return EarlyStopping(percentile, ordered[len(ordered) - over], over - 1, needed)


@cache
def samples_needed(percentile: int) -> int:
    """Return the least number of samples that gives an early-stopping estimate.

    Args:
        percentile: above 0 and below 100.
    """
    count = 2
    while _most_over(count, percentile) < 1:
        count += 1
    return count


def _most_over(count: int, percentile: int) -> int:
    """Return the largest t with P(Binomial(count, 1 - p) <= t) <= 1 %; -1 where there is none."""
    under = percentile / 100
    tail = 0.0
    for over in range(count + 1):
        tail += math.exp(
            math.lgamma(count + 1)
            - math.lgamma(over + 1)
            - math.lgamma(count - over + 1)
            + over * math.log(1 - under)
            + (count - over) * math.log(under)
        )
        if tail > 1 - CONFIDENCE:
            return over - 1
    return count
