"""The same training on another of Keras's backends."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from tests.conftest import Command
from train.run_folder import RunFolder


@pytest.mark.slow
def test_jax_trains_a_run_that_tensorflow_quantizes(
    blastscope: Command, smears: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    on_jax = {**os.environ, "KERAS_BACKEND": "jax"}
    words = ("train", "custom-cnn", "--data", smears, "--out", run.path)
    trained = blastscope(*words, "--epochs", 2, "--balance", "smote", env=on_jax)
    assert trained.returncode == 0, trained.stderr
    assert json.loads(run.environment.read_text())["backend"] == "jax"
    history = json.loads(run.history.read_text())
    assert all(math.isfinite(row["loss"]) for row in history)
    resumed = blastscope(*words, "--epochs", 3, "--resume", env=on_jax)
    assert resumed.returncode == 0, resumed.stderr
    words = ("train", "fast", "--data", smears, "--out", tmp_path / "taught")
    taught = blastscope(*words, "--epochs", 1, "--teacher", run.path, env=on_jax)
    assert taught.returncode == 0, taught.stderr
    model = tmp_path / "model.tflite"
    words = ("quantize", run.path, "--out", model, "--max-drop", 100, "--accept-too-few")
    quantized = blastscope(*words)
    assert quantized.returncode == 0, quantized.stderr
    evaluated = blastscope("evaluate", model, smears, "--json")
    assert evaluated.returncode == 0, evaluated.stderr
