"""The accuracy gate between a float network and its int8 version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import AccuracyGateError
from train.evaluation.metrics import classification_report, wilson_interval

#: The largest loss of accuracy on the test part that a model may have, in percentage points.
DEFAULT_MAX_DROP_POINTS = 0.5


@dataclass(frozen=True, slots=True)
class Comparison:
    """Float and int8 on the same images.

    Attributes:
        float_report: as `train.evaluation.metrics.classification_report` returns it.
        int8_report: the same for int8.
        drop_points: accuracy lost, in percentage points; below 0 where int8 is better.
        flips: how many images got another class.
        agreement: share of the images that got the same class, in [0, 1].
        agreement_ci95: its Wilson interval.
    """

    float_report: dict[str, Any]
    int8_report: dict[str, Any]
    drop_points: float
    flips: int
    agreement: float
    agreement_ci95: tuple[float, float]


def compare(
    targets: NDArray[np.int64],
    float_scores: NDArray[np.float32],
    int8_scores: NDArray[np.float32],
    labels: Sequence[str],
) -> Comparison:
    """Compare the scores of two versions of one network.

    Args:
        targets: each image's class; int64, shape (n,), n above 0.
        float_scores: float32, shape (n, classes).
        int8_scores: float32, shape (n, classes).
        labels: the classes' names.
    """
    n = len(targets)
    float_report = classification_report(targets, float_scores, labels)
    int8_report = classification_report(targets, int8_scores, labels)
    flips = int((float_scores.argmax(axis=1) != int8_scores.argmax(axis=1)).sum())
    # From whole counts, so that a drop of exactly the limit is not lost to rounding.
    lost = _correct(float_report) - _correct(int8_report)
    return Comparison(
        float_report=float_report,
        int8_report=int8_report,
        drop_points=100 * lost / n,
        flips=flips,
        agreement=(n - flips) / n,
        agreement_ci95=wilson_interval(n - flips, n),
    )


def check_drop(comparison: Comparison, max_drop_points: float) -> None:
    """Let an int8 model pass only if it keeps its accuracy.

    Args:
        comparison: of float and int8 on the test part.
        max_drop_points: the largest loss of accuracy allowed, in percentage points.

    Raises:
        AccuracyGateError: it lost more.
    """
    if not comparison.drop_points <= max_drop_points:
        raise AccuracyGateError(
            f"int8 may lose at most {max_drop_points:g} percentage points of accuracy",
            got=f"{comparison.drop_points:.2f} points on {comparison.float_report['n']} images "
            f"(float {comparison.float_report['accuracy']:.2%}, "
            f"int8 {comparison.int8_report['accuracy']:.2%}, {comparison.flips} images changed "
            "class). No model was written",
            next_step="Train longer or on more images, or allow more with --max-drop",
        )


def _correct(report: dict[str, Any]) -> int:
    return int(np.trace(np.array(report["confusion"]["matrix"])))
