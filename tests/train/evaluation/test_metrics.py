"""Metrics, against scikit-learn and against values worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from edge.labels import SMEAR_LABELS
from train.evaluation.metrics import classification_report, confusion_matrix, wilson_interval

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


def test_malignant_is_every_class_but_the_benign_one() -> None:
    targets = np.array([0, 0, 0, 1, 2, 3, 3])
    scores = np.eye(4, dtype=np.float32)[[0, 0, 2, 2, 1, 3, 0]]
    found = classification_report(targets, scores, SMEAR_LABELS)["malignant"]
    assert found["benign_label"] == "Benign"
    assert found["n"] == 4
    assert found["sensitivity"] == 3 / 4
    assert found["specificity"] == 2 / 3
    assert found["sensitivity_ci95"] == pytest.approx(wilson_interval(3, 4))
    assert found["auroc"] == pytest.approx(roc_auc_score(targets > 0, 1 - scores[:, 0]))


def test_malignant_in_single_cells_and_where_it_is_not_known() -> None:
    targets, scores = np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    found = classification_report(targets, scores, ("all", "hem"))["malignant"]
    assert (found["sensitivity"], found["specificity"], found["auroc"]) == (1, 1, 1)
    assert classification_report(targets, scores, ("a", "b"))["malignant"] is None
    only_benign = classification_report(np.array([1, 1]), scores, ("all", "hem"))["malignant"]
    assert only_benign["sensitivity"] is None
    assert only_benign["sensitivity_ci95"] is None
    assert only_benign["auroc"] is None
    assert only_benign["specificity"] == 0.5


def test_chances_too_small_for_a_float_still_rank() -> None:
    """1 - p would make both benign chances 1."""
    scores = np.array([[1e-9, 1.0], [1e-12, 1.0]], np.float32)
    report = classification_report(np.array([0, 1]), scores, ("Benign", "Pro"))
    assert report["malignant"]["auroc"] == 1.0


def test_perfect_and_all_wrong() -> None:
    targets = np.array([0, 1, 2] * 10)
    scores = np.eye(3, dtype=np.float32)
    right = classification_report(targets, scores[targets], LABELS)
    assert [right[key] for key in ("accuracy", "macro_f1", "auroc", "brier", "ece")] == [
        1,
        1,
        1,
        0,
        0,
    ]
    wrong = classification_report(targets, scores[(targets + 1) % 3], LABELS)
    assert (wrong["accuracy"], wrong["macro_f1"], wrong["brier"], wrong["ece"]) == (0, 0, 2, 1)
    assert wrong["auroc"] == pytest.approx(0.25)
    assert wrong["accuracy_ci95"][0] == 0
    assert wrong["accuracy_ci95"][1] > 0.05


def test_one_image_has_figures_and_no_bootstrap() -> None:
    report = classification_report(np.array([1]), np.array([[0.2, 0.7, 0.1]], np.float32), LABELS)
    assert report["accuracy"] == 1
    assert report["accuracy_ci95"] == pytest.approx(wilson_interval(1, 1))
    assert report["ece"] == pytest.approx(0.3)
    assert report["auroc"] is None
    assert report["macro_f1_ci95"] is None
    assert json.dumps(report, allow_nan=False)


def test_intervals_hold_their_figures_and_repeat(
    random_case: tuple[np.ndarray, np.ndarray],
) -> None:
    targets, scores = random_case
    scores = scores / scores.sum(axis=1, keepdims=True)
    report = classification_report(targets, scores, LABELS)
    for name in ("accuracy", "macro_f1", "weighted_f1", "auroc", "brier", "ece"):
        low, high = report[f"{name}_ci95"]
        assert low < report[name] < high or (name == "ece" and low <= report[name] < high)
    assert classification_report(targets, scores, LABELS) == report
    other = classification_report(targets, scores, LABELS, seed=1)
    assert other["macro_f1_ci95"] != report["macro_f1_ci95"]
    # The bootstrap of a share agrees with its formula where there are many images.
    low, high = report["weighted_f1_ci95"]
    wilson_low, wilson_high = report["accuracy_ci95"]
    assert high - low == pytest.approx(wilson_high - wilson_low, rel=0.15)


def test_groups_widen_the_intervals(random_case: tuple[np.ndarray, np.ndarray]) -> None:
    targets, scores = (np.repeat(one, 5, axis=0) for one in random_case)
    groups = np.repeat(np.arange(200), 5)
    by_image = classification_report(targets, scores, SMEAR_LABELS[:3])
    by_group = classification_report(targets, scores, SMEAR_LABELS[:3], groups)
    assert by_image["intervals"]["groups"] is None
    assert "accuracy_group_ci95" not in by_image
    assert by_group["intervals"]["groups"] == 200
    assert by_group["accuracy_ci95"] == by_image["accuracy_ci95"]

    def width(limits: list[float]) -> float:
        return limits[1] - limits[0]

    for of_group, of_image in (
        (by_group["macro_f1_ci95"], by_image["macro_f1_ci95"]),
        (by_group["accuracy_group_ci95"], by_group["accuracy_ci95"]),
        (
            by_group["malignant"]["sensitivity_group_ci95"],
            by_group["malignant"]["sensitivity_ci95"],
        ),
    ):
        assert width(of_group) == pytest.approx(5**0.5 * width(of_image), rel=0.25)


def test_groups_of_one_image_each_are_no_groups(
    random_case: tuple[np.ndarray, np.ndarray],
) -> None:
    plain = classification_report(*random_case, LABELS)
    assert classification_report(*random_case, LABELS, np.arange(200) * 3) == plain
