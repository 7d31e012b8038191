"""How many images a model gets right, and how many it calls as another does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: 97.5th percentile of the standard normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """A share of images with its 95 % interval.

    Attributes:
        count: how many of them.
        n: of how many.
        share: count / n, in [0, 1].
        ci95: lower and upper limit of the Wilson interval, both in [0, 1].
    """

    count: int
    n: int
    share: float
    ci95: tuple[float, float]


def equal_share(first: Sequence[str], second: Sequence[str]) -> Share:
    """Count in how many places two lists hold the same class.

    The interval is Wilson's: "Probable Inference, the Law of Succession, and Statistical
    Inference", JASA 22 (1927).

    Args:
        first: class names, one or more.
        second: as many class names.
    """
    n = len(first)
    count = sum(one == other for one, other in zip(first, second, strict=True))
    share = count / n
    centre = share + _Z**2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low = 0.0 if count == 0 else (centre - spread) / (1 + _Z**2 / n)
    high = 1.0 if count == n else (centre + spread) / (1 + _Z**2 / n)
    return Share(count, n, share, (low, high))


def pareto_front(accuracies: Sequence[float], latencies: Sequence[float]) -> list[int]:
    """Return which of several models no other one beats.

    A model is beaten by one that is at least as accurate and at least as fast, and better in one
    of the two.

    Args:
        accuracies: of each model.
        latencies: of each model, in milliseconds.

    Returns:
        Positions in the two lists, the fastest first.
    """
    points = list(zip(accuracies, latencies, strict=True))
    front = [
        place
        for place, (accuracy, latency) in enumerate(points)
        if not any(
            other[0] >= accuracy and other[1] <= latency and other != (accuracy, latency)
            for other in points
        )
    ]
    return sorted(front, key=lambda place: (latencies[place], -accuracies[place]))
