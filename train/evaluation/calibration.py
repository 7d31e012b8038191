"""How well class probabilities agree with what comes true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Bins of equal width that Guo et al. use.
BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Images by how sure the classifier was of its answer.

    Attributes:
        counts: images in each bin of confidence, from 0 to 1; int64, shape (bins,).
        confidences: their mean highest score; float64, shape (bins,), 0 for an empty bin.
        accuracies: the share of them that was right; float64, shape (bins,), 0 for an empty bin.
    """

    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]


def confidence_bins(scores: NDArray[np.float32], bins: int = BINS) -> NDArray[np.int64]:
    """Return the bin of each image's highest score; a score on an edge is in the lower bin.

    Args:
        scores: class probabilities; float32, shape (n, classes).
        bins: how many bins of equal width there are from 0 to 1.

    Returns:
        int64, shape (n,), values 0 to bins - 1.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)[1:-1]
    return np.asarray(np.digitize(scores.max(axis=1), edges, right=True), np.int64)


def reliability(
    scores: NDArray[np.float32], targets: NDArray[np.int64], bins: int = BINS
) -> Reliability:
    """Return the confidence and the accuracy of a classifier by bins of its highest score.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2.

    Args:
        scores: class probabilities; float32, shape (n, classes).
        targets: the images' classes; int64, shape (n,).
        bins: how many bins of equal width there are from 0 to 1.
    """
    places = confidence_bins(scores, bins)
    counts = np.bincount(places, minlength=bins)
    confidences = np.bincount(places, scores.max(axis=1).astype(np.float64), bins)
    accuracies = np.bincount(places, (scores.argmax(axis=1) == targets).astype(np.float64), bins)
    divisors = np.maximum(counts, 1)
    return Reliability(counts, confidences / divisors, accuracies / divisors)


def expected_calibration_error(
    scores: NDArray[np.float32], targets: NDArray[np.int64], bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy, over the bins, by their images.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.

    Args:
        scores: class probabilities; float32, shape (n, classes), n above 0.
        targets: the images' classes; int64, shape (n,).
        bins: how many bins of equal width there are from 0 to 1.

    Returns:
        In [0, 1]; 0 is best.
    """
    found = reliability(scores, targets, bins)
    gaps = np.abs(found.accuracies - found.confidences)
    return float((found.counts * gaps).sum() / len(targets))


def brier_terms(scores: NDArray[np.float32], targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each image's squared distance between its scores and its class.

    Their mean is the Brier score in its original form, over all classes: Brier, "Verification of
    Forecasts Expressed in Terms of Probability", Monthly Weather Review 78 (1950).

    Args:
        scores: class probabilities; float32, shape (n, classes).
        targets: the images' classes; int64, shape (n,).

    Returns:
        float64, shape (n,), values 0 (sure and right) to 2 (sure and wrong).
    """
    distances = scores.astype(np.float64)
    distances[np.arange(len(targets)), targets] -= 1
    return np.asarray((distances**2).sum(axis=1))
