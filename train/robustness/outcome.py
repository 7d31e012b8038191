"""What became of a model's predictions when images were altered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluation.intervals import bootstrap_intervals, wilson_interval


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A model's predictions for one alteration of the images, beside those for the images.

    Attributes:
        right: whether each altered image's prediction is right; bool, shape (n,).
        right_before: the same for the image as it was; bool, shape (n,).
        unchanged: whether both have the same prediction, right or wrong; bool, shape (n,).
    """

    right: NDArray[np.bool_]
    right_before: NDArray[np.bool_]
    unchanged: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """Share of the altered images that are classified rightly."""
        return float(self.right.mean())

    @property
    def accuracy_ci95(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(int(self.right.sum()), len(self.right))

    @property
    def unchanged_share(self) -> float:
        """Share of the images whose prediction the alteration left as it was."""
        return float(self.unchanged.mean())

    @property
    def drop_points(self) -> float:
        """Accuracy lost, in percentage points."""
        return 100.0 * float(self.right_before.mean() - self.right.mean())

    def drop_points_ci95(self, clusters: NDArray[np.int64], seed: int) -> tuple[float, float]:
        """Return the 95 % bootstrap interval of `drop_points`, images drawn with their pairs.

        Args:
            clusters: what is drawn together; int64, shape (n,).
            seed: of the draws.
        """
        lost = self.right_before.astype(np.float64) - self.right
        low, high = mean_interval(lost, clusters, seed)
        return 100.0 * low, 100.0 * high


def compare(
    predicted: NDArray[np.int64], before: NDArray[np.int64], targets: NDArray[np.int64]
) -> Outcome:
    """Set predictions for altered images beside those for the images as they were.

    Args:
        predicted: classes of the altered images; int64, shape (n,).
        before: classes of the images as they were; int64, shape (n,).
        targets: true classes; int64, shape (n,).
    """
    return Outcome(predicted == targets, before == targets, predicted == before)


def mean_interval(
    values: NDArray[np.float64], clusters: NDArray[np.int64], seed: int
) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a mean.

    Args:
        values: one for each image; shape (n,), n above 0.
        clusters: what is drawn together, numbered from 0; int64, shape (n,).
        seed: of the draws.

    Returns:
        Lower and upper limit. One cluster alone shows no spread: both are the mean.
    """

    def mean(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {"mean": weights @ values / weights.sum(axis=1)}

    limits = bootstrap_intervals(mean, clusters, seed)["mean"]
    return limits or (float(values.mean()), float(values.mean()))
