"""Metrics, against scikit-learn and against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from train.metrics import classification_report, confusion_matrix, wilson_interval

LABELS = ("a", "b", "c")


@pytest.fixture
def random_case() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    targets = generator.integers(0, 3, 200)
    scores = generator.random((200, 3), np.float32)
    scores[np.arange(200), targets] += 0.4
    return targets, scores


def test_report_agrees_with_scikit_learn(random_case: tuple[np.ndarray, np.ndarray]) -> None:
    targets, scores = random_case
    predicted = scores.argmax(axis=1)
    report = classification_report(targets, scores, LABELS)
    assert report["n"] == 200
    assert report["accuracy"] == pytest.approx(accuracy_score(targets, predicted))
    assert report["macro_f1"] == pytest.approx(f1_score(targets, predicted, average="macro"))
    assert report["weighted_f1"] == pytest.approx(f1_score(targets, predicted, average="weighted"))
    for index, label in enumerate(LABELS):
        figures = report["per_class"][label]
        mine = targets == index, predicted == index
        assert figures["sensitivity"] == pytest.approx(recall_score(*mine))
        assert figures["specificity"] == pytest.approx(recall_score(*mine, pos_label=False))
        assert figures["precision"] == pytest.approx(precision_score(*mine))
        assert figures["f1"] == pytest.approx(f1_score(*mine))
        assert figures["n"] == (targets == index).sum()


def test_rows_are_true_classes() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_absent_class_has_no_sensitivity_and_does_not_count() -> None:
    scores = np.eye(3, dtype=np.float32)[[0, 1, 1]]
    report = classification_report(np.array([0, 1, 1]), scores, LABELS)
    assert report["per_class"]["c"]["sensitivity"] is None
    assert report["per_class"]["c"]["precision"] is None
    assert report["macro_f1"] == 1.0


def test_wilson_interval_is_the_published_one() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    for successes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(20, 20)[1] == 1.0
