"""The bench's arithmetic: percentiles, early stopping, shares, the Pareto front."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from edge.bench.accuracy import equal_share, pareto_front
from edge.bench.latency import summarize
from edge.bench.percentiles import (
    early_stopping,
    order_statistic,
    ratio_in_turns,
    samples_needed,
)
from train.evaluation.intervals import wilson_interval


def tail(count: int, over: int, percentile: int) -> Fraction:
    """P(Binomial(count, 1 - p) <= over), exactly."""
    under = Fraction(percentile, 100)
    return sum(
        (comb(count, k) * (1 - under) ** k * under ** (count - k) for k in range(over + 1)),
        Fraction(0),
    )


def test_least_numbers_of_samples_are_mlperfs() -> None:
    """64 = the least n with 0.9^n + n 0.1 0.9^(n-1) <= 1 %; 662 for p99. MLPerf prints both."""
    assert (samples_needed(90), samples_needed(99)) == (64, 662)
    for percentile in (50, 75, 90, 99):
        needed = samples_needed(percentile)
        assert tail(needed, 1, percentile) <= Fraction(1, 100) < tail(needed - 1, 1, percentile)


@pytest.mark.parametrize(("count", "discarded"), [(2048, 172), (2116, 178), (2145, 181)])
def test_discarded_samples_are_as_many_as_mlperf_prints(count: int, discarded: int) -> None:
    """From results published with MLPerf Inference: "Would discard 172 highest latency queries"."""
    found = early_stopping([float(value) for value in range(count)], 90)
    assert found.discarded == discarded
    assert found.estimate_ms == count - 1 - discarded


@pytest.mark.parametrize("count", [64, 81, 100, 700, 1000])
@pytest.mark.parametrize("percentile", [90, 99])
def test_estimate_is_the_lowest_that_the_exact_binomial_allows(count: int, percentile: int) -> None:
    found = early_stopping([float(value) for value in range(count)], percentile)
    if found.estimate_ms is None:
        assert tail(count, 1, percentile) > Fraction(1, 100)
        assert (found.needed > count, found.discarded) == (True, 0)
        return
    over = found.discarded + 1
    assert tail(count, over, percentile) <= Fraction(1, 100) < tail(count, over + 1, percentile)
    assert found.estimate_ms == count - over


def test_too_few_samples_give_no_estimate() -> None:
    assert early_stopping([1.0] * 63, 90).estimate_ms is None
    assert early_stopping([1.0] * 63 + [7.0], 90).estimate_ms == 7.0
    assert early_stopping([1.0] * 661, 99).estimate_ms is None
    assert early_stopping([1.0] * 661 + [7.0], 99).estimate_ms == 7.0


def test_a_load_that_both_jobs_meet_leaves_their_ratio_as_it_is() -> None:
    ours = [[1.1, 1.1, 9.0], [2.2, 2.2, 2.2], [22.0, 22.0, 22.0]]
    others = [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [20.0, 20.0, 0.1]]
    assert ratio_in_turns(ours, others) == pytest.approx(1.1)
    # A turn whose load one of them met alone.
    assert ratio_in_turns([*ours, [4.0]], [*others, [1.0]]) == pytest.approx(1.1)


def test_percentiles_are_samples() -> None:
    hundred = [float(value) for value in range(1, 101)]
    assert [order_statistic(hundred, p) for p in (50, 90, 99, 100)] == [50, 90, 99, 100]
    assert [order_statistic([1.0, 2.0, 3.0], p) for p in (1, 50, 90)] == [1, 2, 3]
    figures = summarize([3.0, 1.0, 2.0])
    assert (figures.p50_ms, figures.p90_ms, figures.p99_ms) == (2.0, 3.0, 3.0)


@pytest.mark.parametrize(("count", "n"), [(0, 7), (3, 7), (7, 7), (507, 513)])
def test_interval_is_the_one_that_evaluation_reports(count: int, n: int) -> None:
    share = equal_share(["a"] * n, ["a"] * count + ["b"] * (n - count))
    assert (share.count, share.n, share.share) == (count, n, count / n)
    assert share.ci95 == pytest.approx(wilson_interval(count, n), abs=1e-15)


def test_front_leaves_out_what_is_beaten() -> None:
    assert pareto_front([0.9, 0.8, 0.95, 0.7], [2.0, 1.0, 5.0, 3.0]) == [1, 0, 2]
    assert pareto_front([0.9, 0.9], [2.0, 1.0]) == [1]
    assert pareto_front([0.9, 0.8], [1.0, 1.0]) == [0]
    assert pareto_front([0.9, 0.9], [1.0, 1.0]) == [0, 1], "neither beats its equal"
