"""How much alike errors within a group are: held against draws of a known correlation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.labels import SMEAR_LABELS
from train.specimen.error_correlation import error_correlation


def drawn(correlation: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of 200 groups of 30 images: in each its own share is right, 90 % in the mean."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(200), 30)
    targets = np.repeat(np.arange(200) % 4, 30)
    if correlation:
        total = 1.0 / correlation - 1.0
        own = np.repeat(generator.beta(0.9 * total, 0.1 * total, 200), 30)
    else:
        own = np.full(6000, 0.9)
    right = generator.random(6000) < own
    told = np.where(right, targets, np.where(targets == 0, 1, 0))
    return np.eye(4, dtype=np.float32)[told], targets, groups


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.5])
def test_known_correlation_is_found(correlation: float) -> None:
    scores, targets, groups = drawn(correlation)
    report = error_correlation(scores, targets, SMEAR_LABELS, groups)
    for about in ("malignant", "classes"):
        assert report[about]["correlation"] == pytest.approx(correlation, abs=0.08)
        low, high = report[about]["correlation_ci95"]
        assert low - 0.01 <= correlation <= high + 0.01
    assert (report["n"], report["groups"]) == (6000, 200)


def test_confused_stages_are_no_errors_about_malignancy() -> None:
    targets = np.array([0, 0, 1, 1, 2, 2])
    told = np.array([0, 0, 2, 2, 1, 2])
    scores = np.eye(4, dtype=np.float32)[told]
    report = error_correlation(scores, targets, SMEAR_LABELS, np.array([0, 0, 1, 1, 2, 2]))
    assert (report["malignant"]["errors"], report["classes"]["errors"]) == (0, 3)
    assert report["malignant"]["correlation"] is None


def test_command_prints_it(tiny_model: Path, smears: Path) -> None:
    words = [sys.executable, "-m", "train.specimen", str(tiny_model), str(smears), "--part", "all"]
    done = subprocess.run([*words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["n"] == 96
    assert 2 <= report["groups"] <= 96
    assert {"errors", "correlation", "correlation_ci95"} == set(report["malignant"])
