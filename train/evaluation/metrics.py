"""Figures that say how good a classifier is, each with what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from edge.labels import benign_label
from train.evaluation.auroc import weighted_auroc, weighted_macro_auroc
from train.evaluation.calibration import BINS, brier_terms, confidence_bins
from train.evaluation.intervals import (
    DRAWS,
    bootstrap_intervals,
    cluster_numbers,
    wilson_interval,
)

__all__ = ["classification_report", "confusion_matrix", "wilson_interval"]


def confusion_matrix(
    targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Count images by true class (rows) and predicted class (columns); shape (classes, classes)."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (targets, predicted), 1)
    return matrix


def classification_report(
    targets: NDArray[np.int64],
    scores: NDArray[np.float32],
    labels: Sequence[str],
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
    *,
    by_class: bool = False,
) -> dict[str, Any]:
    """Return the figures of a classifier on labelled images, with 95 % intervals.

    Shares have Wilson intervals, which take the images for independent of one another; all else
    has bootstrap intervals. Where some images belong together, the bootstrap draws whole groups,
    and the shares have such intervals too, under `..._group_ci95`. Where both are given, the wider
    is the honest one. Without a single mistake a bootstrap has nothing to draw, and its interval
    shrinks to a point: then only Wilson's says how little n images can tell.

    Classes without an image have no sensitivity (None) and do not enter the macro averages.

    Args:
        targets: each image's class; int64, shape (n,), n above 0.
        scores: each image's class probabilities; float32, shape (n, classes).
        labels: the classes' names.
        groups: a number for each image, the same for images that belong together, such as those
            of one subject; int64, shape (n,). None where nothing is known.
        seed: of the bootstrap.
        by_class: the bootstrap draws as many groups of each class as there are, for sets where
            few groups are of a class and a draw would often have none. Each group is of one class.

    Returns:
        `n`; `accuracy, macro_f1, weighted_f1`; `auroc` (mean over the classes, each against all
        others); `brier` (0 to 2); `ece` (15 bins of the highest score); each with `..._ci95`;
        `malignant {benign_label, n, sensitivity, specificity, auroc}` with intervals, where one
        of the labels is known to be the benign one, else None; `per_class {label: {n,
        sensitivity, sensitivity_ci95, specificity, specificity_ci95, precision, f1}}`; `confusion
        {labels, matrix}`, whose rows are true classes and whose columns are predictions; and
        `intervals {shares, others, groups}`, which says how they were made. All shares are in
        [0, 1]; what cannot be computed is None.
    """
    predicted = most_likely(scores, labels)
    n, classes = scores.shape
    matrix = confusion_matrix(targets, predicted, classes)
    clusters = cluster_numbers(groups, n)
    cluster_count = int(clusters.max()) + 1
    is_grouped = cluster_count < n
    benign = benign_label(labels)
    benign_index = None if benign is None else list(labels).index(benign)
    weighted = _weighted_figures(targets, predicted, scores, benign_index)
    whole = {name: float(value) for name, (value,) in weighted(np.ones((1, n))).items()}
    strata = targets if by_class else None
    drawn = bootstrap_intervals(weighted, clusters, seed, strata=strata)

    def figure(name: str, key: str) -> dict[str, Any]:
        return {key: _number(whole[name]), f"{key}_ci95": _limits(drawn[name])}

    def share(successes: int, total: int, key: str, name: str) -> dict[str, Any]:
        limits = _limits(wilson_interval(successes, total)) if total else None
        value = successes / total if total else None
        by_group = {f"{key}_group_ci95": _limits(drawn[name])} if is_grouped else {}
        return {key: value, f"{key}_ci95": limits, **by_group}

    malignant = None
    if benign_index is not None:
        true, found = targets != benign_index, predicted != benign_index
        malignant = {
            "benign_label": benign,
            "n": int(true.sum()),
            **share(int((true & found).sum()), int(true.sum()), "sensitivity", "m_sensitivity"),
            **share(
                int((~true & ~found).sum()), int((~true).sum()), "specificity", "m_specificity"
            ),
            **figure("m_auroc", "auroc"),
        }
    return {
        "n": n,
        **share(int(np.trace(matrix)), n, "accuracy", "accuracy"),
        **figure("macro_f1", "macro_f1"),
        **figure("weighted_f1", "weighted_f1"),
        **figure("auroc", "auroc"),
        **figure("brier", "brier"),
        **figure("ece", "ece"),
        "malignant": malignant,
        "per_class": {label: _class_figures(matrix, index) for index, label in enumerate(labels)},
        "confusion": {"labels": list(labels), "matrix": matrix.tolist()},
        "intervals": {
            "shares": "Wilson",
            "others": f"bootstrap, {DRAWS} draws of {'groups' if is_grouped else 'images'}"
            f"{' within each class' if by_class else ''}, seed {seed}",
            "groups": cluster_count if is_grouped else None,
        },
    }


def _weighted_figures(
    targets: NDArray[np.int64],
    predicted: NDArray[np.int64],
    scores: NDArray[np.float32],
    benign_index: int | None,
) -> Callable[[NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Return a function that gives the figures for many weightings of the images at once."""
    n, classes = scores.shape
    cells = np.zeros((n, classes * classes))
    cells[np.arange(n), targets * classes + predicted] = 1
    brier = brier_terms(scores, targets)
    gaps = np.zeros((n, BINS))
    confidence = scores.max(axis=1).astype(np.float64)
    gaps[np.arange(n), confidence_bins(scores)] = (predicted == targets) - confidence
    true = targets != benign_index
    found = predicted != benign_index

    def ratio(part: NDArray[np.bool_], of: NDArray[np.bool_], w: NDArray[np.float64]) -> Any:
        total = w @ of
        return np.where(total > 0, (w @ (part & of)) / np.maximum(total, 1), np.nan)

    def figures(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        totals = weights.sum(axis=1)
        matrices = (weights @ cells).reshape(-1, classes, classes)
        f1, counts = _f1_scores(matrices), matrices.sum(axis=2)
        values = {
            "accuracy": np.trace(matrices, axis1=1, axis2=2) / totals,
            "macro_f1": (f1 * (counts > 0)).sum(axis=1) / (counts > 0).sum(axis=1),
            "weighted_f1": (f1 * counts).sum(axis=1) / totals,
            "auroc": weighted_macro_auroc(scores, targets, weights),
            "brier": (weights @ brier) / totals,
            "ece": np.abs(weights @ gaps).sum(axis=1) / totals,
        }
        if benign_index is not None:
            values["m_sensitivity"] = ratio(found, true, weights)
            values["m_specificity"] = ratio(~found, ~true, weights)
            values["m_auroc"] = weighted_auroc(-scores[:, benign_index], true, weights)
        return values

    return figures


def _f1_scores(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each class's F1, 0 for one neither there nor predicted; (..., classes)."""
    right = np.diagonal(matrices, axis1=-2, axis2=-1)
    counted = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    return np.asarray(2 * right / np.maximum(counted, 1))


def _class_figures(matrix: NDArray[np.int64], index: int) -> dict[str, Any]:
    """Return one class's figures against all others; a share of nothing is None, its F1 is 0."""
    true_positive = int(matrix[index, index])
    positive, called = int(matrix[index].sum()), int(matrix[:, index].sum())
    negative = int(matrix.sum()) - positive
    true_negative = negative - (called - true_positive)
    return {
        "n": positive,
        "sensitivity": true_positive / positive if positive else None,
        "sensitivity_ci95": _limits(wilson_interval(true_positive, positive) if positive else None),
        "specificity": true_negative / negative if negative else None,
        "specificity_ci95": _limits(wilson_interval(true_negative, negative) if negative else None),
        "precision": true_positive / called if called else None,
        "f1": float(_f1_scores(matrix.astype(np.float64))[index]),
    }


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _limits(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)
