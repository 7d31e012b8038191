"""The table of README: its form, and the promises that it is held to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantize.figures import Row, as_markdown, broken_promises

_REPORT = {"n": 500, "accuracy": 0.99, "accuracy_ci95": [0.977, 0.996]}
_ROW = Row(
    network="custom-cnn",
    split="random",
    images={"train": 1800, "validation": 200, "test": 500},
    float_report=_REPORT,
    int8_report={**_REPORT, "accuracy": 0.988},
    drop_points=0.2,
    flips=3,
    minutes=7.0,
    megabytes=0.41,
    invoke_ms=0.5,
    classify_ms=0.55,
    ratio=1.1,
)


def test_good_figures_keep_all_promises() -> None:
    assert broken_promises([_ROW, replace(_ROW, network="mobilenet-v2")]) == []


def test_accuracy_is_promised_under_random_splits_alone() -> None:
    low = {**_REPORT, "accuracy": 0.9}
    assert broken_promises([replace(_ROW, split="grouped", float_report=low)]) == []
    assert broken_promises([replace(_ROW, float_report=low)]) != []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"float_report": {**_REPORT, "accuracy": 0.979}}, "float accuracy is 0.979"),
        ({"minutes": 10.1}, "minutes of training is 10.1"),
        ({"drop_points": 0.6}, "points lost to int8 is 0.6"),
        ({"ratio": 1.31}, "classify over invoke is 1.31"),
    ],
)
def test_each_broken_promise_is_named(change: dict[str, object], said: str) -> None:
    (sentence,) = broken_promises([replace(_ROW, **change)])  # type: ignore[arg-type]
    assert said in sentence


def test_table_states_split_seed_n_and_intervals() -> None:
    table = as_markdown([_ROW, replace(_ROW, split="grouped")], seed=7)
    for part in (
        "random split, seed 7",
        "grouped split, seed 7",
        "| custom-cnn | grouped |",
        "500 test images",
        "99.00% (97.70% to 99.60%)",
        "3 of 500",
        "1.10",
    ):
        assert part in table
