"""Quantization: the same values in, nearly the same scores out, and a gate that fails closed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.classifier import Classifier
from edge.errors import (
    AccuracyGateError,
    DatasetError,
    ModelFileError,
    OutputError,
    TrainingError,
)
from edge.interpreter import Interpreter
from edge.model_file import read_model_file
from quantize.accuracy_gate.criterion import Criterion
from quantize.calibration import IMAGES_PER_CLASS, choose_calibration_images
from quantize.packing import pack_plain_model
from quantize.quantization import quantize
from tests.conftest import LAX, Command
from tests.edge.test_model_file import plain_part
from train.evaluation import load_evaluation_model, score_int8
from train.image_set import read_image_set

#: `LAX` on the command line.
LAX_OPTIONS = (
    *("--max-drop", "100", "--max-sensitivity-drop", "100"),
    *("--max-malignant-to-benign", "1000", "--min-agreement", "0"),
)


def test_calibration_is_balanced_and_from_training_alone() -> None:
    targets = np.repeat([0, 1, 2], [400, 80, 20]).astype(np.int64)
    training_part = np.flatnonzero(np.arange(500) % 2 == 0)
    chosen = choose_calibration_images(targets, training_part, 0)
    assert set(chosen) <= set(training_part)
    assert len(set(chosen)) == len(chosen)
    assert np.bincount(targets[chosen]).tolist() == [IMAGES_PER_CLASS, 40, 10]
    assert np.array_equal(chosen, choose_calibration_images(targets, training_part, 0))
    assert not np.array_equal(chosen, choose_calibration_images(targets, training_part, 1))


def test_int8_scores_are_close_to_float(tiny_model: Path, finished_run: Path, smears: Path) -> None:
    images = read_image_set(smears, 224, 224).images
    float_scores = load_evaluation_model(finished_run).score(images)
    with Classifier.load(tiny_model) as classifier:
        int8_scores = score_int8(classifier, images)
    assert np.abs(float_scores - int8_scores).mean() < 0.02


def test_graph_is_integer_throughout(tiny_model: Path) -> None:
    native = Interpreter(tiny_model.read_bytes(), "tiny")._native
    types = {np.dtype(detail["dtype"]).name for detail in native.get_tensor_details()}
    assert types <= {"uint8", "int8", "int32"}
    weights = [
        detail
        for detail in native.get_tensor_details()
        if len(detail["shape"]) == 4 and len(detail["quantization_parameters"]["scales"]) > 1
    ]
    assert len(weights) == 6, "each convolution has a scale per channel"


def test_quantizing_twice_gives_the_same_file(
    finished_run: Path, tiny_model: Path, tmp_path: Path
) -> None:
    again = quantize(finished_run, tmp_path / "again.tflite", criterion=LAX)
    assert again.model.content == tiny_model.read_bytes()


def test_failed_gate_writes_nothing_and_exits_with_1(
    blastscope: Command, finished_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "model.tflite"
    done = blastscope("quantize", finished_run, "--out", out, "--max-drop", "-100")
    assert done.returncode == 1
    assert "accuracy drop in points (test part, n = 20)" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.parent.exists()


def test_passed_gate_reports_as_json(
    blastscope: Command, finished_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.tflite"
    done = blastscope("quantize", finished_run, "--out", out, *LAX_OPTIONS, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["bytes"] == out.stat().st_size
    assert report["float"]["n"] == report["int8"]["n"] == 20
    assert report["gate"]["held_out"]["drop_points"] == pytest.approx(
        100 * (report["float"]["accuracy"] - report["int8"]["accuracy"])
    )


def test_existing_model_is_kept_unless_told(
    finished_run: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.tflite"
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="--overwrite"):
        quantize(finished_run, out)
    with pytest.raises(AccuracyGateError):
        quantize(finished_run, out, criterion=Criterion(max_drop_points=-100.0), overwrite=True)
    assert out.read_bytes() == b"mine"
    quantize(finished_run, out, criterion=LAX, overwrite=True)
    assert out.read_bytes() == tiny_model.read_bytes()
    assert list(tmp_path.iterdir()) == [out]


def test_moved_and_changed_data_are_noticed(
    finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(smears, moved)
    out = tmp_path / "model.tflite"
    quantize(finished_run, out, criterion=LAX, data=moved)
    cv2.imwrite(str(moved / "Pro" / "new.png"), np.zeros((50, 50, 3), np.uint8))
    quantize(finished_run, tmp_path / "more.tflite", criterion=LAX, data=moved)
    assert (tmp_path / "more.tflite").read_bytes() == out.read_bytes()
    next(path for path in (moved / "Pro").iterdir() if path.name != "new.png").unlink()
    with pytest.raises(DatasetError, match=r"Got: 1 of 96 .*Pro/Pro-.*--data"):
        quantize(finished_run, tmp_path / "other.tflite", data=moved)
    with pytest.raises(DatasetError, match="where they are now with --data"):
        quantize(finished_run, tmp_path / "other.tflite", data=tmp_path / "absent")


def test_unfinished_and_absent_runs_are_refused(finished_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    (run / "model.keras").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match="must be readable"):
        quantize(run, tmp_path / "model.tflite")
    (run / "model.keras").unlink()
    with pytest.raises(TrainingError, match="--resume"):
        quantize(run, tmp_path / "model.tflite")
    with pytest.raises(TrainingError, match="A run folder holds"):
        quantize(tmp_path / "absent", tmp_path / "model.tflite")


def test_plain_model_gets_its_card(tiny_model: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(plain_part(tiny_model.read_bytes()))
    out = tmp_path / "packed.tflite"
    pack_plain_model(plain, ("w", "x", "y", "z"), out)
    model = read_model_file(out)
    assert (model.name, model.labels) == ("plain", ("w", "x", "y", "z"))
    frame = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    with Classifier.load(out) as mine, Classifier.load(tiny_model) as original:
        mine_scores = list(mine.classify(frame).scores.values())
        assert mine_scores == list(original.classify(frame).scores.values())


def test_labels_that_do_not_fit_a_plain_model_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(plain_part(tiny_model.read_bytes()))
    out = tmp_path / "packed.tflite"
    with pytest.raises(ModelFileError, match=r"\(1, 3\).*Got: uint8 of shape \(1, 4\)"):
        pack_plain_model(plain, ("a", "b", "c"), out)
    with pytest.raises(ModelFileError, match="all different"):
        pack_plain_model(plain, ("a", "a", "b", "c"), out)
    assert not out.exists()
