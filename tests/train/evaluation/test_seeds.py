"""Figures over seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from train.evaluation.seeds import summarize_seeds


def report(accuracy: float, brier: float = 0.1, **malignant: float) -> dict[str, Any]:
    return {"accuracy": accuracy, "brier": brier, "malignant": malignant or None}


def test_interval_is_students() -> None:
    """Mean 0.94, s 0.0158, t(0.975, 4) 2.776."""
    values = (0.92, 0.93, 0.94, 0.95, 0.96)
    found = summarize_seeds([report(value) for value in values])["accuracy"]
    deviation = np.sqrt(0.00025)
    assert found["seeds"] == 5
    assert (found["mean"], found["min"], found["max"]) == pytest.approx((0.94, 0.92, 0.96))
    assert found["standard_deviation"] == pytest.approx(deviation)
    spread = 2.776445 * deviation / np.sqrt(5)
    assert found["ci95"] == pytest.approx([0.94 - spread, 0.94 + spread], abs=1e-7)


def test_interval_ends_where_the_figure_does() -> None:
    found = summarize_seeds([report(0.9, brier=1.9), report(1.0, brier=1.8)])
    assert found["accuracy"]["ci95"][1] == 1.0
    assert found["brier"]["ci95"][1] == 2.0


def test_one_seed_has_no_spread_and_no_seed_has_nothing() -> None:
    found = summarize_seeds([report(0.9)])
    assert found["accuracy"]["mean"] == 0.9
    assert found["accuracy"]["standard_deviation"] is None
    assert found["accuracy"]["ci95"] is None
    assert summarize_seeds([]) == {}


def test_figures_that_some_reports_lack() -> None:
    found = summarize_seeds([report(0.9, sensitivity=0.8), report(0.9, sensitivity=0.6), report(1)])
    assert found["malignant.sensitivity"]["seeds"] == 2
    assert found["malignant.sensitivity"]["mean"] == pytest.approx(0.7)
    assert "malignant.auroc" not in found
    assert "ece" not in found
