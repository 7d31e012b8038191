"""A classifier's figures for each subject apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from train.evaluation.intervals import wilson_interval


def subject_figures(
    subjects: Sequence[str],
    targets: NDArray[np.int64],
    scores: NDArray[np.float32],
    labels: Sequence[str],
) -> list[dict[str, Any]]:
    """Return how many cells of each subject are classified rightly.

    Args:
        subjects: each image's subject; n of them.
        targets: each image's class; int64, shape (n,).
        scores: each image's class probabilities; float32, shape (n, classes).
        labels: the classes' names.

    Returns:
        For each subject `subject, label, n, accuracy, accuracy_ci95` (Wilson's, which takes the
        subject's cells for independent of one another), by class and then by name. A subject with
        cells of several classes has a row for each.
    """
    predicted = most_likely(scores, labels)
    names = np.array(subjects)
    rows = []
    for target, label in enumerate(labels):
        for subject in sorted(set(names[targets == target].tolist())):
            inside = (names == subject) & (targets == target)
            n, right = int(inside.sum()), int((predicted[inside] == target).sum())
            rows.append(
                {
                    "subject": subject,
                    "label": label,
                    "n": n,
                    "accuracy": right / n,
                    "accuracy_ci95": list(wilson_interval(right, n)),
                }
            )
    return rows
