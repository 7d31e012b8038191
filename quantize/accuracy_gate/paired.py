"""Statistics of two models that have seen the same images."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

from scipy.optimize import brentq
from scipy.stats import beta, binomtest

#: Confidence of each single limit below.
CONFIDENCE = 0.95

#: More images than this are called out of reach.
MOST_IMAGES = 10_000_000

_NEAR = 1e-12


def mcnemar(lost: int, gained: int) -> float:
    """Return the exact two-sided p-value of both models being right equally often.

    McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), with the binomial distribution in place of chi-squared.

    Args:
        lost: images that the first model has right and the second wrong.
        gained: images that the second has right and the first wrong.
    """
    if lost + gained == 0:
        return 1.0
    return float(binomtest(lost, lost + gained, 0.5).pvalue)


def drop_limits(lost: float, gained: float, n: float) -> tuple[float, float]:
    """Return how much worse the second model may be: the score limits of a paired difference.

    Tango, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17 (1998). Unlike Wald's they are apart even
    where the models never differ.

    Args:
        lost: images that the first model has right and the second wrong.
        gained: images that the second has right and the first wrong.
        n: all images; above 0.

    Returns:
        Lower and upper limit in [-1, 1], each of confidence `CONFIDENCE`; positive is worse.
    """
    z = NormalDist().inv_cdf(CONFIDENCE)
    drop = (lost - gained) / n

    def lower(delta: float) -> float:
        return _score(lost, gained, n, delta) - z

    def upper(delta: float) -> float:
        return _score(lost, gained, n, delta) + z

    # The score falls as delta grows, and is 0 at the drop that was seen.
    low = -1.0 if drop <= -1 + 2 * _NEAR else float(brentq(lower, -1 + _NEAR, drop - _NEAR))
    high = 1.0 if drop >= 1 - 2 * _NEAR else float(brentq(upper, drop + _NEAR, 1 - _NEAR))
    return low, high


def agreement_limit(same: float, n: float) -> float:
    """Return the lower limit of a share, exactly.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934), one-sided.

    Args:
        same: images that both models give the same class.
        n: all images; above 0.

    Returns:
        In [0, 1], of confidence `CONFIDENCE`.
    """
    return 0.0 if same <= 0 else float(beta.ppf(1 - CONFIDENCE, same, n - same + 1))


def images_for_drop(lost: int, gained: int, n: int, limit: float) -> int | None:
    """Return how many images would show that the drop is within a limit.

    Args:
        lost: see `drop_limits`.
        gained: see `drop_limits`.
        n: all images.
        limit: largest drop, as a share.

    Returns:
        The least number at which the upper limit is within, if images are lost and gained at the
        rates seen; None where no number would do.
    """
    return _least(lambda m: drop_limits(lost * m / n, gained * m / n, m)[1] <= limit)


def images_for_agreement(same: int, n: int, limit: float) -> int | None:
    """Return how many images would show that agreement is at least a limit; see above."""
    return _least(lambda m: agreement_limit(same * m / n, m) >= limit)


def _least(enough: Callable[[int], bool]) -> int | None:
    if not enough(MOST_IMAGES):
        return None
    low, high = 0, MOST_IMAGES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _score(lost: float, gained: float, n: float, delta: float) -> float:
    """Tango's statistic: how far the drop seen is from `delta`, in standard errors."""
    a = 2 * n
    b = -lost - gained + (2 * n - lost + gained) * delta
    c = -gained * delta * (1 - delta)
    gaining = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = n * (2 * gaining + delta * (1 - delta))
    return (lost - gained - n * delta) / math.sqrt(max(variance, 1e-300))
