"""AUROC, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from train.evaluation.auroc import weighted_auroc, weighted_macro_auroc


def once(n: int) -> np.ndarray:
    return np.ones((1, n))


@pytest.mark.parametrize("decimals", [1, 7])
def test_agrees_with_scikit_learn_with_and_without_ties(decimals: int) -> None:
    generator = np.random.default_rng(6)
    positive = generator.random(300) < 0.3
    scores = np.round(generator.random(300) + 0.3 * positive, decimals).astype(np.float32)
    weights = generator.integers(0, 4, (5, 300)).astype(np.float64)
    assert weighted_auroc(scores, positive, once(300))[0] == pytest.approx(
        roc_auc_score(positive, scores)
    )
    for row, found in zip(weights, weighted_auroc(scores, positive, weights), strict=True):
        assert found == pytest.approx(roc_auc_score(positive, scores, sample_weight=row))


def test_by_hand() -> None:
    positive = np.array([False, False, True, True])
    for scores, area in (
        ([0.1, 0.2, 0.3, 0.4], 1.0),
        ([0.4, 0.3, 0.2, 0.1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], 0.5),
        ([0.1, 0.4, 0.3, 0.5], 0.75),
        ([0.1, 0.3, 0.3, 0.5], 0.875),
    ):
        found = weighted_auroc(np.array(scores, np.float32), positive, once(4))
        assert found[0] == pytest.approx(area)


def test_one_kind_alone_has_none() -> None:
    scores = np.array([0.1, 0.9], np.float32)
    assert np.isnan(weighted_auroc(scores, np.array([True, True]), once(2)))[0]
    without_negative = np.array([[0.0, 1.0]])
    assert np.isnan(weighted_auroc(scores, np.array([False, True]), without_negative))[0]


def test_macro_agrees_with_scikit_learn_and_leaves_out_absent_classes() -> None:
    generator = np.random.default_rng(7)
    targets = generator.integers(0, 3, 200)
    scores = generator.dirichlet(np.ones(3), 200).astype(np.float32)
    reference = roc_auc_score(targets, scores.astype(np.float64), multi_class="ovr")
    assert weighted_macro_auroc(scores, targets, once(200))[0] == pytest.approx(reference, abs=1e-6)
    with_fourth = np.column_stack([scores, np.zeros(200, np.float32)])
    found = weighted_macro_auroc(with_fourth, targets, once(200))[0]
    assert found == pytest.approx(reference, abs=1e-6)
