"""Temperature scaling, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import TrainingError
from train.evaluation.temperature import TEMPERATURE_BOUNDS, apply_temperature, fit_temperature


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def drawn(scores: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw classes with just the probabilities that the scores say."""
    return (scores.cumsum(axis=1) < generator.random((len(scores), 1))).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_scaling_is_that_of_the_logits(temperature: float) -> None:
    logits = np.random.default_rng(1).normal(0, 5, (50, 4))
    scaled = apply_temperature(softmax(logits), temperature)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, softmax(logits / temperature), rtol=2e-5, atol=1e-7)


def test_two_classes_by_hand() -> None:
    """With odds of 9 to 1, a temperature of 2 leaves odds of 3 to 1."""
    scaled = apply_temperature(np.array([[0.9, 0.1]], np.float32), 2.0)
    np.testing.assert_allclose(scaled, [[0.75, 0.25]], rtol=1e-6)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_fit_finds_the_temperature_that_spoiled_the_scores(true_temperature: float) -> None:
    generator = np.random.default_rng(2)
    logits = generator.normal(0, 2, (40_000, 4))
    targets = drawn(softmax(logits), generator)
    fitted = fit_temperature(softmax(logits * true_temperature), targets)
    assert fitted == pytest.approx(true_temperature, rel=0.03)


def test_probabilities_of_exactly_0_and_1_are_taken() -> None:
    scores = np.eye(3, dtype=np.float32)
    for temperature in (0.25, 8.0):
        scaled = apply_temperature(scores, temperature)
        assert np.isfinite(scaled).all()
        assert (scaled.argmax(axis=1) == [0, 1, 2]).all()
        np.testing.assert_allclose(scaled.sum(axis=1), 1, rtol=1e-6)
    all_wrong = fit_temperature(scores, np.array([1, 2, 0]))
    assert all_wrong == pytest.approx(TEMPERATURE_BOUNDS[1], rel=1e-3)


def test_parts_without_mistakes_make_scores_surer_by_how_many_they_are() -> None:
    scores = np.full((1000, 4), 0.05, np.float32)
    scores[:, 0] = 0.85
    fitted = [fit_temperature(scores[:n], np.zeros(n, np.int64)) for n in (1, 10, 1000)]
    assert 0.8 < fitted[0] < 1
    assert 0.5 < fitted[1] < fitted[0]
    assert TEMPERATURE_BOUNDS[0] <= fitted[2] < 0.4


def test_a_part_with_mistakes_is_fitted_by_its_cross_entropy() -> None:
    """Odds that are all alike become those of right to wrong: 190 of 200, 0.95."""
    scores = np.tile(np.array([[0.8, 0.2]], np.float32), (200, 1))
    targets = (np.arange(200) >= 190).astype(np.int64)
    scaled = apply_temperature(scores, fit_temperature(scores, targets))
    assert scaled[0, 0] == pytest.approx(0.95, abs=0.003)


def test_no_scores_and_no_numbers_are_refused() -> None:
    with pytest.raises(TrainingError, match="Got: none"):
        fit_temperature(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    with pytest.raises(TrainingError, match="1 that are no numbers"):
        fit_temperature(np.array([[0.5, np.nan]], np.float32), np.array([0]))
