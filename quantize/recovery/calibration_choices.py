"""Other images and other ranges to calibrate by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Share of values that a range keeps, in percent; 100 keeps all.
_PERCENTILES = (99.99, 99.9)


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationChoice:
    """A way to measure ranges.

    Attributes:
        detail: what it is, in words.
        positions: of the images, among those kept for calibration; int64.
        percentile: see `quantize.activations.ranges`.
    """

    detail: str
    positions: NDArray[np.int64]
    percentile: float = 100.0


def calibration_choices(
    targets: NDArray[np.int64],
    shares: NDArray[np.float64],
    scores: NDArray[np.float32],
    usual: int,
    seed: int,
) -> Iterator[CalibrationChoice]:
    """Yield ways to calibrate besides the usual one, from the plainest on.

    Args:
        targets: classes of the images kept for calibration; int64, shape (n,).
        shares: of each class in the training part; float64, shape (classes,).
        scores: what the float network says of these images; float32, shape (n, classes).
        usual: how many images of each class the usual way takes.
        seed: of the random choices.
    """
    everything = np.arange(len(targets), dtype=np.int64)
    yield CalibrationChoice(f"all {len(targets)} images, least and greatest value", everything)
    generator = np.random.default_rng(seed)
    weights = shares[targets] / np.bincount(targets, minlength=len(shares))[targets]
    count = min(len(targets), usual * len(shares))
    natural = generator.choice(everything, count, replace=False, p=weights / weights.sum())
    yield CalibrationChoice(f"{count} images, classes as frequent as in training", np.sort(natural))
    surest = scores[everything, targets]
    doubtful = np.sort(np.argsort(surest, kind="stable")[: max(1, count // 2)])
    yield CalibrationChoice(f"the {len(doubtful)} images that float is least sure of", doubtful)
    for percentile in _PERCENTILES:
        yield CalibrationChoice(
            f"all {len(targets)} images, {percentile:g} % of the values", everything, percentile
        )
