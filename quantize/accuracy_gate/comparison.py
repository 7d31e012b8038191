"""A float network and its quantized version on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from edge.labels import benign_label


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What both versions say of n images.

    Attributes:
        labels: the classes' names.
        targets: each image's class; int64, shape (n,), n above 0.
        float_scores: float32, shape (n, classes).
        int8_scores: float32, shape (n, classes).
    """

    labels: tuple[str, ...]
    targets: NDArray[np.int64]
    float_scores: NDArray[np.float32]
    int8_scores: NDArray[np.float32]

    @property
    def n(self) -> int:
        """How many images there are."""
        return len(self.targets)

    @property
    def float_classes(self) -> NDArray[np.int64]:
        """The class that float gives each image; int64, shape (n,)."""
        return most_likely(self.float_scores, self.labels)

    @property
    def int8_classes(self) -> NDArray[np.int64]:
        """The class that int8 gives each image; int64, shape (n,)."""
        return most_likely(self.int8_scores, self.labels)

    @property
    def flipped(self) -> NDArray[np.int64]:
        """Positions of the images whose class changed; int64."""
        return np.flatnonzero(self.float_classes != self.int8_classes)

    @property
    def agreement(self) -> float:
        """Share of the images to which both give the same class, in [0, 1]."""
        return (self.n - len(self.flipped)) / self.n

    @property
    def drop_points(self) -> float:
        """Accuracy that int8 loses, in percentage points; below 0 where it is better."""
        lost, gained = self.lost_and_gained()
        return 100 * (lost - gained) / self.n

    def lost_and_gained(self, label: str | None = None) -> tuple[int, int]:
        """Count the images that only float has right, and those that only int8 has right.

        Args:
            label: counts the images of this class alone; None counts all.
        """
        of_interest = np.ones(self.n, bool)
        if label is not None:
            of_interest = self.targets == self.labels.index(label)
        float_right = self.float_classes == self.targets
        int8_right = self.int8_classes == self.targets
        return (
            int((float_right & ~int8_right & of_interest).sum()),
            int((int8_right & ~float_right & of_interest).sum()),
        )

    def malignant_to_benign(self) -> NDArray[np.int64] | None:
        """Return positions of malignant images that float calls malignant and int8 benign; int64.

        None where no label is known to be the benign one.
        """
        benign = benign_label(self.labels)
        if benign is None:
            return None
        index = self.labels.index(benign)
        return np.flatnonzero(
            (self.targets != index) & (self.float_classes != index) & (self.int8_classes == index)
        )

    def take(self, positions: NDArray[np.int64]) -> Comparison:
        """Return the comparison on some of the images."""
        return Comparison(
            self.labels,
            self.targets[positions],
            self.float_scores[positions],
            self.int8_scores[positions],
        )


def compare(
    targets: NDArray[np.int64],
    float_scores: NDArray[np.float32],
    int8_scores: NDArray[np.float32],
    labels: Sequence[str],
) -> Comparison:
    """Return the comparison of two versions of one network; see `Comparison`."""
    return Comparison(tuple(labels), targets, float_scores, int8_scores)
