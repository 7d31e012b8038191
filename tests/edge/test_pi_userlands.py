"""The base install on the systems of a Pi, run by qemu: it works, and its numbers are x86's.

The userlands are Debian arm64 with the wheels that a Pi installs, made on first use.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.decision_rule import most_likely
from edge.labels import SMEAR_LABELS
from edge.shipped_models import SHIPPED_MODELS
from edge.smear import render_field
from tests.userlands import arm64, arm64_frames, arm64_inside, instructions
from tests.userlands.arm64 import Pi
from tests.userlands.root import UnavailableError

REPOSITORY = Path(__file__).resolve().parents[2]
XNNPACK = "ai-edge-litert"
#: How far tflite-runtime's scores may lie from XNNPACK's, in steps of 1/256.
LARGEST_STEPS = 2
#: From a frame to a decision, as a multiple of what the network alone takes.
MOST_INSTRUCTIONS = 1.12

_log = logging.getLogger(__name__)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=arm64.PIS, ids=str)
def bare_pi(request: pytest.FixtureRequest) -> Pi:
    pi: Pi = request.param
    try:
        arm64.ensure(pi)
    except UnavailableError as error:
        pytest.skip(f"EMULATED PI NOT TRIED: {error}")
    return pi


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("edge", "train", "quantize"):
        shutil.copytree(REPOSITORY / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    if int(version("setuptools").split(".")[0]) >= 77:
        command.append("--no-build-isolation")
    subprocess.run([*command, "--wheel-dir", source / "dist", source], check=True)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def trial(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, fields, one of them as a PNG, and the program to run."""
    folder = tmp_path_factory.mktemp("trial")
    shutil.copy(tiny_model, folder / "model.tflite")
    shutil.copy(arm64_inside.__file__, folder / "inside.py")
    # Fields come as files: on arm64, rendering differs by one grey level in a few pixels.
    for seed, label in enumerate(SMEAR_LABELS):
        for height, width in ((480, 640), (1080, 1920)):
            field = render_field(label, seed, width=width, height=height)
            np.save(folder / f"{label} {width} x {height}.npy", field)
    assert cv2.imwrite(str(folder / "field.png"), field[:, :, ::-1])
    return folder


@pytest.fixture(scope="module")
def on_x86(trial: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, trial / "inside.py"]
    output = subprocess.check_output(command, env=environment, text=True)
    report: dict[str, Any] = json.loads(output)
    return report


@pytest.fixture(scope="module")
def pi(bare_pi: Pi, wheel: Path, trial: Path) -> Pi:
    arm64.install_blastscope(bare_pi, wheel)
    inside = bare_pi.root / "opt" / "trial"
    shutil.rmtree(inside, ignore_errors=True)
    shutil.copytree(trial, inside)
    return bare_pi


@pytest.fixture(scope="module")
def on_pi(pi: Pi) -> dict[str, Any]:
    done = arm64.run_python(pi, "/opt/trial/inside.py")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def blastscope(pi: Pi, *arguments: object) -> str:
    done = arm64.run_blastscope(pi, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help(pi: Pi) -> None:
    assert "watch" in blastscope(pi, "--help")


def test_doctor_finds_nothing_wrong(pi: Pi) -> None:
    findings = json.loads(blastscope(pi, "doctor", "--model", "/opt/trial/model.tflite", "--json"))
    found = {finding["check"]: finding for finding in findings}
    assert all(finding["state"] != "wrong" for finding in findings)
    assert f"{pi.python}." in found["Python"]["found"]
    assert "aarch64" in found["Python"]["found"]
    assert pi.runtime in found["TFLite runtime"]["found"]
    assert found["model"]["state"] == ("ok" if pi.runtime == XNNPACK else "note")


def test_classify(pi: Pi, on_x86: dict[str, Any]) -> None:
    model = "/opt/trial/model.tflite"
    row = json.loads(blastscope(pi, "classify", "/opt/trial/field.png", "--model", model, "--json"))
    outputs = on_x86["inferred"][f"{SMEAR_LABELS[-1]} 1920 x 1080"]
    assert list(row["scores"]) == list(SMEAR_LABELS)
    assert np.allclose(
        list(row["scores"].values()), np.array(outputs) / 256, atol=LARGEST_STEPS / 256
    )


def test_watch(pi: Pi) -> None:
    options = ["--camera", "simulated", "--frames", 2, "--json"]
    lines = blastscope(pi, "watch", *options, "--model", "/opt/trial/model.tflite").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["sequence"] for row in rows] == [0, 1]
    assert all(row["label"] in SMEAR_LABELS for row in rows)


def test_it_is_the_pi_that_it_says(pi: Pi, on_pi: dict[str, Any]) -> None:
    described = on_pi["described"]
    assert (described["python"], described["numpy"]) == (pi.python, pi.numpy)
    assert described["runtime"].startswith(f"{pi.runtime} ")
    assert described["delegate"] == ("XNNPACK" if pi.runtime == XNNPACK else "none")


def test_preprocess_is_bit_exact(on_pi: dict[str, Any], on_x86: dict[str, Any]) -> None:
    expected = on_x86["preprocessed"]
    assert len(expected) >= 40
    assert on_pi["preprocessed"] == expected


def test_quality_is_bit_exact(on_pi: dict[str, Any], on_x86: dict[str, Any]) -> None:
    expected = on_x86["assessed"]
    assert len(expected) >= 12
    assert on_pi["assessed"] == expected


def test_int8_network_is_bit_exact_under_xnnpack(
    pi: Pi, on_pi: dict[str, Any], on_x86: dict[str, Any]
) -> None:
    assert on_x86["described"]["delegate"] == "XNNPACK"
    expected = on_x86["inferred"]
    assert len({tuple(outputs) for outputs in expected.values()}) >= 8
    if pi.runtime == XNNPACK:
        assert on_pi["inferred"] == expected
        return
    # tflite-runtime's own kernels round otherwise here and there.
    for name, outputs in expected.items():
        steps = np.abs(np.subtract(on_pi["inferred"][name], outputs))
        assert steps.max() <= LARGEST_STEPS, name


def check_top(got: list[int], expected: list[int], name: str) -> None:
    """Hold a runtime to another's top class; scores closer than runtimes differ by are a tie."""
    top = int(most_likely(got, SMEAR_LABELS))
    assert expected[top] >= max(expected) - 2 * LARGEST_STEPS, name


def test_golden_frames_give_what_they_must(pi: Pi, on_pi: dict[str, Any]) -> None:
    assert set(on_pi["golden"]) == set(SHIPPED_MODELS)
    for name, frames in on_pi["golden"].items():
        for expected, got in frames:
            # All lead by so much that runtimes name the same class however they round.
            assert np.argmax(got) == np.argmax(expected), name
            if pi.runtime == XNNPACK:
                assert got == expected, name
    if pi.runtime == XNNPACK:
        for name in SHIPPED_MODELS:
            outcomes = json.loads(blastscope(pi, "verify", name, "--json"))
            assert all(one["state"] != "failed" for one in outcomes)


def test_top_class_is_the_same_under_any_runtime(
    on_pi: dict[str, Any], on_x86: dict[str, Any]
) -> None:
    for name, expected in on_x86["inferred"].items():
        check_top(on_pi["inferred"][name], expected, name)


@pytest.mark.parametrize(("width", "height"), [(224, 224), (640, 480)])
def test_decision_takes_hardly_more_instructions_than_the_network(
    pi: Pi, width: int, height: int
) -> None:
    if pi.runtime != XNNPACK:
        pytest.skip("the network is many times slower under tflite-runtime")
    try:
        instructions.prepare(pi)
    except UnavailableError as error:
        pytest.skip(f"INSTRUCTIONS NOT COUNTED: {error}")
    shutil.copy(arm64_frames.__file__, pi.root / "opt" / "trial" / "frames.py")
    taken = {}
    for kind in ("bare", "decision"):
        # The difference is free of what Python takes to begin.
        few, many = (
            instructions.count(pi, "/opt/trial/frames.py", "mobilenet-v2", kind, width, height, n)
            for n in (3, 13)
        )
        taken[kind] = (many - few) / 10
    ratio = taken["decision"] / taken["bare"]
    # `pytest --log-cli-level=info` shows it.
    _log.info("%s, %d x %d: %s, %.3f times the network", pi, width, height, taken, ratio)
    assert 50e6 < taken["bare"] < 300e6
    assert 1.0 < ratio <= MOST_INSTRUCTIONS
