"""How often an int8 model answers, and how good its answers are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.classifier import Classifier
from edge.image_file import read_image
from edge.prediction import Prediction
from tests.conftest import Command
from train.evaluation.answers import answers_report

LABELS = ("a", "b")


def said(label: str, decision: str = "result", *reasons: str) -> Prediction:
    return Prediction(label, {"a": 0.5, "b": 0.5}, {}, "m", decision, reasons)  # type: ignore[arg-type]


def test_accuracy_is_of_the_results_alone() -> None:
    predictions = [said("a"), said("b"), said("b"), said("b", "refer", "x", "y")]
    report = answers_report(predictions, np.array([0, 0, 1, 0]), LABELS)
    assert (report["results"], report["share"]) == (3, 0.75)
    assert report["accuracy"] == pytest.approx(2 / 3)
    assert report["decisions"] == {"result": 3, "refer": 1}
    assert report["reasons"] == {"x": 1, "y": 1}
    low, high = report["accuracy_ci95"]
    assert 0 < low < 2 / 3 < high < 1


def test_model_that_never_answers_has_no_accuracy() -> None:
    report = answers_report([said("a", "refer", "x")], np.array([0]), LABELS)
    assert report["accuracy"] is None
    assert report["accuracy_ci95"] is None


def test_evaluation_counts_what_the_classifier_decides(
    blastscope: Command, tiny_model: Path, smears: Path
) -> None:
    done = blastscope("evaluate", tiny_model, smears, "--json")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    with Classifier.load(tiny_model) as classifier:
        decided = [
            classifier.classify(read_image(path)).decision for path in sorted(smears.rglob("*.png"))
        ]
    assert answers["results"] == decided.count("result")
    shown = blastscope("evaluate", tiny_model, smears)
    assert f"result for {answers['results']} of 96" in shown.stdout
    classified = blastscope("classify", smears / "Pro", "--model", tiny_model)
    assert classified.returncode == 0
    assert "result" in classified.stderr or "refer" in classified.stderr
