"""Calibration figures, in cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from train.evaluation.calibration import (
    brier_terms,
    confidence_bins,
    expected_calibration_error,
    reliability,
)


def two_classes(confidence: float, right: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that are all as sure, and targets of which so many are what they say."""
    scores = np.tile(np.array([confidence, 1 - confidence], np.float32), (n, 1))
    return scores, (np.arange(n) >= right).astype(np.int64)


def test_perfectly_calibrated_scores_have_no_error() -> None:
    parts = [two_classes(share / 10, share, 10) for share in (6, 7, 8, 9)]
    scores, targets = (np.concatenate(one) for one in zip(*parts, strict=True))
    assert expected_calibration_error(scores, targets) == pytest.approx(0, abs=1e-7)
    found = reliability(scores, targets)
    assert found.counts.sum() == 40
    np.testing.assert_allclose(found.confidences, found.accuracies, atol=1e-7)


def test_sure_and_all_wrong_is_the_worst() -> None:
    scores, targets = np.eye(2, dtype=np.float32), np.array([1, 0])
    assert expected_calibration_error(scores, targets) == 1.0
    assert brier_terms(scores, targets).tolist() == [2.0, 2.0]


def test_error_is_the_gaps_by_their_images() -> None:
    """30 images 0.9 sure of which 24 are right, 10 images 0.6 sure of which 9 are."""
    scores, targets = (
        np.concatenate(one)
        for one in zip(two_classes(0.9, 24, 30), two_classes(0.6, 9, 10), strict=True)
    )
    expected = 30 / 40 * 0.1 + 10 / 40 * 0.3
    assert expected_calibration_error(scores, targets) == pytest.approx(expected, abs=1e-6)


def test_gaps_of_one_bin_cancel_as_the_definition_has_it() -> None:
    scores, targets = two_classes(0.9, 1, 2)
    assert expected_calibration_error(scores, targets) == pytest.approx(0.4, abs=1e-6)
    assert expected_calibration_error(scores, targets, bins=1) == pytest.approx(0.4, abs=1e-6)


def test_edges_are_in_the_lower_bin_and_certainty_in_the_last() -> None:
    scores = np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0], [0.51, 0.49]], np.float32)
    assert confidence_bins(scores, bins=4).tolist() == [1, 2, 3, 2]


def test_brier_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(4)
    scores = generator.dirichlet(np.ones(2), 100).astype(np.float32)
    targets = generator.integers(0, 2, 100)
    # scikit-learn counts one class of two; over both it is twice that.
    reference = brier_score_loss(targets, scores[:, 1])
    assert brier_terms(scores, targets).mean() == pytest.approx(2 * reference, rel=1e-5)
