"""Learning from a teacher: what it changes, and which teachers are refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import rel_entr

from edge.errors import LeakageError, ModelFileError, TrainingError
from tests.conftest import LAX, Command
from train.checkpoint import Checkpoint
from train.distillation import TEMPERATURE, Teacher, divergence
from train.fitting import FitData, fit, predict
from train.recipes import find_recipe
from train.run_folder import RunFolder
from train.training import train


def test_divergence_is_that_of_softened_probabilities() -> None:
    generator = np.random.default_rng(0)
    wanted, scores = generator.dirichlet(np.ones(4), (2, 9)).astype(np.float32)

    def soften(one: np.ndarray) -> np.ndarray:
        powers = one.astype(np.float64) ** (1 / TEMPERATURE)
        return powers / powers.sum(axis=1, keepdims=True)

    expected = TEMPERATURE**2 * rel_entr(soften(wanted), soften(scores)).sum(axis=1).mean()
    assert float(divergence(wanted, scores)) == pytest.approx(expected, rel=1e-4)
    assert float(divergence(wanted, wanted)) == pytest.approx(0.0, abs=1e-6)


def test_student_leans_towards_a_teacher_who_contradicts_the_labels(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (32, 112, 112, 3), dtype=np.uint8)
    targets = np.zeros(32, np.int64)
    recipe = replace(find_recipe("custom-cnn"), piece=None)
    first = _small_network(112).get_weights()
    teacher = _always(3, side=112)
    before = [weight.copy() for weight in teacher.network.get_weights()]
    said = {}
    for name, one in (("alone", None), ("taught", teacher)):
        student = _small_network(112)
        student.set_weights(first)
        data = FitData(images, targets, images[:4], targets[:4], teacher=one)
        fit(student, data, recipe, epochs=2, seed=0, checkpoint=Checkpoint(tmp_path / name))
        said[name] = predict(student, images).mean(axis=0)
    assert said["taught"][3] > said["alone"][3]
    assert said["taught"][0] < said["alone"][0]
    for was, now in zip(before, teacher.network.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_taught_run_goes_on_with_the_same_teacher_alone(
    finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    out, moved = tmp_path / "run", tmp_path / "moved"
    train("custom-cnn", smears, out, epochs=1, teacher=finished_run)
    config = RunFolder(out).read_config()
    assert config.teacher == str(finished_run)
    assert config.teacher_sha256 is not None
    assert config.rates is not None
    assert config.rates["piece"] is None, "a teacher and its student see whole images"
    shutil.copytree(finished_run, moved)
    result = train("custom-cnn", smears, out, epochs=2, resume=True, teacher=moved)
    assert result.metrics["epochs_finished"] == 2
    with RunFolder(moved).model.open("ab") as file:
        file.write(b"another")
    with pytest.raises(TrainingError, match="teacher_sha256"):
        train("custom-cnn", smears, out, epochs=2, resume=True, teacher=moved)


def test_teacher_who_knows_the_test_images_is_refused(
    finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    with pytest.raises(LeakageError, match=r"seen no image.*Got: \d+ that it was trained on"):
        train("fast", smears, tmp_path / "run", seed=1, teacher=finished_run)
    assert not (tmp_path / "run").exists()


def test_teachers_that_do_not_fit_are_refused(
    finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="A teacher is a finished run"):
        train("fast", smears, tmp_path / "run", teacher=tmp_path / "absent")
    small = tmp_path / "small"
    shutil.copytree(finished_run, small)
    config = json.loads(RunFolder(small).config.read_text())
    RunFolder(small).config.write_text(json.dumps({**config, "side": 112}))
    with pytest.raises(TrainingError, match="112 pixels a side, for 224"):
        train("custom-cnn", smears, tmp_path / "run", teacher=small)
    broken = tmp_path / "broken"
    shutil.copytree(finished_run, broken)
    RunFolder(broken).model.write_bytes(b"no network")
    with pytest.raises(ModelFileError, match="must be readable"):
        train("fast", smears, tmp_path / "run", teacher=broken)
    other = tmp_path / "other"
    shutil.copytree(finished_run, other)
    config = json.loads(RunFolder(other).config.read_text())
    config["labels"][0] = "Healthy"
    RunFolder(other).config.write_text(json.dumps(config))
    with pytest.raises(TrainingError, match="knows the student's classes"):
        train("fast", smears, tmp_path / "run", teacher=other)
    assert not (tmp_path / "run").exists()


def test_run_without_a_test_part_is_judged_by_validation(
    blastscope: Command, smears: Path, tmp_path: Path
) -> None:
    from edge.model_file import read_model_file
    from quantize.quantization import quantize

    out = tmp_path / "run"
    words = ("train", "custom-cnn", "--data", smears, "--out", out, "--epochs", 1)
    done = blastscope(*words, "--test-fraction", 0)
    assert done.returncode == 0, done.stderr
    assert "custom-cnn, float, validation part: accuracy" in done.stdout
    metrics = RunFolder(out).read_metrics()
    assert "test" not in metrics
    assert metrics["images"] == {"train": 88, "validation": 8, "test": 0}
    model = tmp_path / "model.tflite"
    result = quantize(out, model, criterion=LAX, report=tmp_path / "report")
    assert (result.decision.part, result.decision.held_out.n) == ("validation", 8)
    card = read_model_file(model).card
    assert card["metrics"]["part"] == card["gate"]["part"] == "validation"
    assert "validation part" in (tmp_path / "report" / "gate.html").read_text()


def _small_network(side: int) -> keras.Model:
    inputs = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(8, 7, strides=8, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(x))


def _always(target: int, side: int) -> Teacher:
    """A teacher who says the same of every image."""
    inputs = keras.Input((side, side, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    bias = keras.initializers.Constant(8.0 * np.eye(4, dtype=np.float32)[target])
    scores = keras.layers.Dense(
        4, activation="softmax", kernel_initializer="zeros", bias_initializer=bias
    )(pooled)
    return Teacher(keras.Model(inputs, scores))
