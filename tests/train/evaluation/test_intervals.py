"""Intervals, against published values and the spread that theory gives."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluation.intervals import (
    bootstrap_intervals,
    bootstrap_weights,
    cluster_numbers,
    wilson_interval,
)


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


def test_groups_are_numbered_from_0_on() -> None:
    assert cluster_numbers(np.array([7, 3, 7]), 3).tolist() == [1, 0, 1]
    assert cluster_numbers(None, 3).tolist() == [0, 1, 2]


def test_groups_are_drawn_together_and_as_many_as_there_are() -> None:
    clusters = np.array([0, 0, 1, 2, 2, 2])
    weights = np.concatenate(list(bootstrap_weights(clusters, seed=0, draws=50)))
    assert weights.shape == (50, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3:] == weights[:, 3:4]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) > 5


def test_each_kind_is_drawn_as_often_as_it_is_there() -> None:
    clusters = np.array([0, 0, 1, 2, 3, 3])
    strata = np.array([0, 0, 0, 1, 1, 1])
    weights = np.concatenate(list(bootstrap_weights(clusters, 0, 60, strata)))
    assert (weights[:, [0, 2]].sum(axis=1) == 2).all()
    assert (weights[:, [3, 4]].sum(axis=1) == 2).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert set(weights[:, 0]) == {0, 1, 2}
    # Without them, a draw may have none of a kind.
    free = np.concatenate(list(bootstrap_weights(clusters, 0, 60)))
    assert (free[:, 3:].sum(axis=1) == 0).any()


def test_draws_do_not_depend_on_how_many_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = np.arange(40)
    whole = np.concatenate(list(bootstrap_weights(clusters, seed=1, draws=30)))
    monkeypatch.setattr("train.evaluation.intervals._MOST_WEIGHTS", 280)
    blocks = list(bootstrap_weights(clusters, seed=1, draws=30))
    assert [len(one) for one in blocks] == [7, 7, 7, 7, 2]
    assert (np.concatenate(blocks) == whole).all()


def mean_interval(values: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    clusters = cluster_numbers(groups, len(values))

    def figures(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": weights @ values / weights.sum(axis=1)}

    interval = bootstrap_intervals(figures, clusters, seed=0)["mean"]
    assert interval is not None
    return interval


def test_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(8).normal(3, 2, 400)
    low, high = mean_interval(values)
    expected = 1.96 * values.std() / 20
    assert (high - low) / 2 == pytest.approx(expected, rel=0.1)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.03)


def test_copies_of_an_image_add_nothing_where_they_are_a_group() -> None:
    values = np.random.default_rng(9).normal(0, 1, 100)
    fourfold, groups = np.repeat(values, 4), np.repeat(np.arange(100), 4)
    assert mean_interval(fourfold, groups) == pytest.approx(mean_interval(values))
    low, high = mean_interval(fourfold)
    alone_low, alone_high = mean_interval(values)
    assert (high - low) / (alone_high - alone_low) == pytest.approx(0.5, abs=0.06)


def test_no_interval_from_one_image_or_without_a_figure() -> None:
    def figures(weights: np.ndarray) -> dict[str, np.ndarray]:
        ones = np.ones(len(weights))
        seldom = np.where(weights[:, 0] > 2, 1.0, np.nan) if len(weights) > 1 else ones
        return {"known": ones, "unknown": ones * np.nan, "seldom": seldom}

    one = bootstrap_intervals(figures, np.zeros(1, np.int64), seed=0)
    assert one == {"known": None, "unknown": None, "seldom": None}
    several = bootstrap_intervals(figures, np.arange(5), seed=0)
    assert several == {"known": (1.0, 1.0), "unknown": None, "seldom": None}


def test_interval_holds_the_figure_itself() -> None:
    """A figure that any drawing makes larger, as it does an expected calibration error."""

    def spread(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"spread": weights.std(axis=1)}

    interval = bootstrap_intervals(spread, np.arange(50), seed=0)["spread"]
    assert interval is not None
    assert interval[0] == 0.0
    assert interval[1] > 0.9
