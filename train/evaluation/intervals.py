"""95 % intervals: of shares by a formula, of other figures by drawing the images again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

#: 97.5th percentile of the standard normal distribution.
_Z = 1.959963984540054

#: How many times the images are drawn anew.
DRAWS = 1000

#: Most weights held in memory at once; 8 bytes each.
_MOST_WEIGHTS = 4_000_000

#: Takes weights (draws, n), returns for each name the figure of each draw, NaN where it has none.
WeightedFigures = Callable[[NDArray[np.float64]], Mapping[str, NDArray[np.float64]]]


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).

    Args:
        successes: how many of the n succeeded.
        n: how many there were; above 0.

    Returns:
        Lower and upper limit, both in [0, 1].
    """
    share = successes / n
    centre = share + _Z**2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low = 0.0 if successes == 0 else (centre - spread) / (1 + _Z**2 / n)
    high = 1.0 if successes == n else (centre + spread) / (1 + _Z**2 / n)
    return low, high


def cluster_numbers(groups: NDArray[np.int64] | None, n: int) -> NDArray[np.int64]:
    """Number what is drawn together from 0 on: the groups, or without them each image.

    Args:
        groups: any number for each group of images; int64, shape (n,); None for no groups.
        n: how many images there are.

    Returns:
        int64, shape (n,).
    """
    if groups is None:
        return np.arange(n, dtype=np.int64)
    return np.unique(groups, return_inverse=True)[1].astype(np.int64).reshape(n)


def bootstrap_weights(
    clusters: NDArray[np.int64],
    seed: int,
    draws: int = DRAWS,
    strata: NDArray[np.int64] | None = None,
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each image occurs when the clusters are drawn anew with replacement.

    Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8: images
    that are alike, as those of one patient, are drawn together or not at all. Section 3.2: where
    there are few of some kind, as many as there are of each kind are drawn from that kind.

    Args:
        clusters: as `cluster_numbers` returns them; int64, shape (n,).
        seed: of the draws.
        draws: how many there are in all.
        strata: each image's kind, the same for all images of a cluster; int64, shape (n,). None
            for one kind.

    Yields:
        float64, shape (some of the draws, n); as many draws as fit in memory.
    """
    count = int(clusters.max()) + 1
    block = max(1, _MOST_WEIGHTS // len(clusters))
    members, generators = [np.arange(count)], [np.random.default_rng(seed)]
    if strata is not None:
        kinds = np.zeros(count, np.int64)
        kinds[clusters] = strata
        members = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
        generators = [np.random.default_rng((seed, place)) for place in range(len(members))]
    for start in range(0, draws, block):
        size = min(block, draws - start)
        rows = np.arange(size)[:, None] * count
        times = np.zeros(size * count, np.int64)
        for inside, generator in zip(members, generators, strict=True):
            chosen = inside[generator.integers(0, len(inside), (size, len(inside)))]
            times += np.bincount((chosen + rows).ravel(), minlength=size * count)
        yield times.reshape(size, count)[:, clusters].astype(np.float64)


def bootstrap_intervals(
    figures: WeightedFigures,
    clusters: NDArray[np.int64],
    seed: int,
    draws: int = DRAWS,
    strata: NDArray[np.int64] | None = None,
) -> dict[str, tuple[float, float] | None]:
    """Return 95 % percentile intervals of several figures from the same draws.

    An interval is widened to hold the figure of the images themselves where the draws lie to one
    side of it, as those of an expected calibration error do: drawing adds scatter to each bin.

    Args:
        figures: gives the figures for weighted images.
        clusters: what is drawn together, as `cluster_numbers` returns it; int64, shape (n,).
        seed: of the draws.
        draws: how many there are.
        strata: see `bootstrap_weights`.

    Returns:
        For each figure its lower and upper limit; None where there is but one cluster, or where
        the figure exists for fewer than half of the draws or not at all.
    """
    whole = figures(np.ones((1, len(clusters))))
    if clusters.max() == 0:
        return dict.fromkeys(whole)
    drawn = [figures(weights) for weights in bootstrap_weights(clusters, seed, draws, strata)]
    intervals: dict[str, tuple[float, float] | None] = {}
    for name, (value,) in whole.items():
        values = np.concatenate([one[name] for one in drawn])
        values = values[np.isfinite(values)]
        if not math.isfinite(value) or len(values) < draws / 2:
            intervals[name] = None
            continue
        low, high = np.quantile(values, (0.025, 0.975))
        intervals[name] = float(min(low, value)), float(max(high, value))
    return intervals
