"""Figures that say how good a classifier is, each with what it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: 97.5th percentile of the standard normal distribution.
_Z = 1.959963984540054


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


def confusion_matrix(
    targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Count images by true class (rows) and predicted class (columns); shape (classes, classes)."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (targets, predicted), 1)
    return matrix


def classification_report(
    targets: NDArray[np.int64], scores: NDArray[np.float32], labels: Sequence[str]
) -> dict[str, Any]:
    """Return the figures of a classifier on labelled images.

    Classes without an image have no sensitivity (None) and do not enter the macro average.

    Args:
        targets: each image's class; int64, shape (n,), n above 0.
        scores: each image's class probabilities; float32, shape (n, classes).
        labels: the classes' names.

    Returns:
        `n, accuracy, accuracy_ci95, macro_f1, weighted_f1, per_class {label: {n, sensitivity,
        specificity, precision, f1}}, confusion {labels, matrix}`; rows of the matrix are true
        classes, columns are predictions. All shares are in [0, 1].
    """
    matrix = confusion_matrix(targets, scores.argmax(axis=1), len(labels))
    n = int(matrix.sum())
    correct = int(np.trace(matrix))
    per_class = {label: _class_figures(matrix, index) for index, label in enumerate(labels)}
    present = [figures for figures in per_class.values() if figures["n"]]
    return {
        "n": n,
        "accuracy": correct / n,
        "accuracy_ci95": list(wilson_interval(correct, n)),
        "macro_f1": sum(figures["f1"] for figures in present) / len(present),
        "weighted_f1": sum(figures["f1"] * figures["n"] for figures in present) / n,
        "per_class": per_class,
        "confusion": {"labels": list(labels), "matrix": matrix.tolist()},
    }


def _class_figures(matrix: NDArray[np.int64], index: int) -> dict[str, Any]:
    """Return one class's figures against all others; a share of nothing is None, its F1 is 0."""
    true_positive = int(matrix[index, index])
    false_negative = int(matrix[index].sum()) - true_positive
    false_positive = int(matrix[:, index].sum()) - true_positive
    true_negative = int(matrix.sum()) - true_positive - false_negative - false_positive

    def share(part: int, rest: int) -> float | None:
        return part / (part + rest) if part + rest else None

    sensitivity = share(true_positive, false_negative)
    doubled = 2 * true_positive
    return {
        "n": true_positive + false_negative,
        "sensitivity": sensitivity,
        "specificity": share(true_negative, false_positive),
        "precision": share(true_positive, false_positive),
        "f1": share(doubled, false_positive + false_negative) or 0.0,
    }
