"""Figures over seeds, and differences between rows."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluation.metrics import classification_report
from train.studies.measurement import AS_THEY_ARE, CORNER_BLANKED, LABORATORY_SHIFT, Measurement
from train.studies.over_seeds import points_lost, summarize_row
from train.studies.paired import paired_difference, verdict

LABELS = ("Benign", "Early", "Pre")


def _measurement(right: np.ndarray, shifted: np.ndarray, *, groups: int = 0) -> Measurement:
    """Images of three classes in turn, some taken for the next class."""
    targets = np.arange(len(right)) % 3
    predicted = {
        AS_THEY_ARE: np.where(right, targets, (targets + 1) % 3),
        LABORATORY_SHIFT: np.where(shifted, targets, (targets + 1) % 3),
    }
    scores = np.eye(3, dtype=np.float32)[predicted[AS_THEY_ARE]]
    clusters = np.arange(len(right)) // (groups or 1)
    clean = classification_report(targets, scores, LABELS, clusters)
    return Measurement(clean, targets, clusters, predicted, {}, "0.1.0")


def test_figures_over_seeds_are_means_with_students_interval() -> None:
    full = np.ones(30, bool)
    runs = []
    for wrong in (0, 3, 6):
        right = full.copy()
        right[:wrong] = False
        shifted = right.copy()
        shifted[-3:] = False
        runs.append(_measurement(right, shifted))
    figures = summarize_row(runs)
    accuracy = figures["accuracy"]
    assert accuracy["mean"] == pytest.approx(0.9)
    assert (accuracy["min"], accuracy["max"]) == (0.8, 1.0)
    # t(0.975, 2) = 4.302653; the deviation of 0.8, 0.9 and 1.0 is 0.1.
    spread = 4.302653 * 0.1 / np.sqrt(3)
    assert accuracy["ci95"] == pytest.approx([0.9 - spread, 1.0]), "cut off at 1"
    lost = figures[points_lost(LABORATORY_SHIFT)]
    assert lost["mean"] == pytest.approx(10.0)
    assert lost["ci95"] == pytest.approx([10.0, 10.0])
    assert figures[LABORATORY_SHIFT]["mean"] == pytest.approx(0.8)
    assert CORNER_BLANKED not in figures, "what was not measured has no figure"
    assert figures["sensitivity for Pre"]["seeds"] == 3


def test_a_shift_that_gains_points_loses_less_than_none() -> None:
    right, shifted = np.ones(30, bool), np.ones(30, bool)
    right[:3] = False
    runs = [_measurement(right, shifted), _measurement(right, right)]
    lost = summarize_row(runs)[points_lost(LABORATORY_SHIFT)]
    assert lost["mean"] == pytest.approx(-5.0)
    assert lost["ci95"][0] < -5.0, "points may be below 0"


def test_a_difference_is_of_the_same_images() -> None:
    """Both rows are wrong on a tenth: the one on the same images, the other on others."""
    base, same, other = (np.ones(300, bool) for _ in range(3))
    base[:30] = same[:30] = other[-30:] = False
    baseline = [_measurement(base, base)]
    none = paired_difference([_measurement(same, same)], baseline, AS_THEY_ARE)
    assert none == {"n": 300, "points": 0.0, "points_ci95": [0.0, 0.0]}
    assert verdict(none) is None
    apart = paired_difference([_measurement(other, other)], baseline, AS_THEY_ARE)
    assert apart is not None
    assert apart["points"] == pytest.approx(0.0)
    low, high = apart["points_ci95"]
    # Discordant images: 30 each way of 300, so a deviation of sqrt(60) / 300.
    assert (high - low) / 2 == pytest.approx(100 * 1.96 * np.sqrt(60) / 300, rel=0.15)


def test_a_difference_is_shown_when_its_interval_leaves_out_0() -> None:
    base, better = np.ones(300, bool), np.ones(300, bool)
    base[:60] = False
    rows = [_measurement(better, base)], [_measurement(base, base)]
    found = paired_difference(*rows, AS_THEY_ARE)
    assert found is not None
    assert found["points"] == pytest.approx(20.0)
    assert verdict(found) == "higher"
    reverse = paired_difference(*reversed(rows), AS_THEY_ARE)
    assert reverse is not None
    assert verdict(reverse) == "lower"
    only = paired_difference(*rows, AS_THEY_ARE, target=0)
    assert only is not None
    assert (only["n"], only["points"]) == (100, pytest.approx(20.0))
    assert paired_difference(*rows, CORNER_BLANKED) is None


def test_images_that_belong_together_are_drawn_together() -> None:
    base, better = np.ones(300, bool), np.ones(300, bool)
    base[:60] = False

    def width(groups: int, seeds: int = 1) -> float:
        found = paired_difference(
            [_measurement(better, better, groups=groups)] * seeds,
            [_measurement(base, base, groups=groups)] * seeds,
            AS_THEY_ARE,
        )
        assert found is not None
        return float(found["points_ci95"][1] - found["points_ci95"][0])

    assert width(30) > 2 * width(1)
    assert width(1, seeds=4) == pytest.approx(width(1)), "the same images again tell nothing new"
