"""The base install alone: what a Raspberry Pi gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli.main import COMMANDS

_ROOT = Path(__file__).resolve().parents[2]
_ABSENT = ("tensorflow", "keras", "sklearn", "imblearn", "matplotlib", "scipy", "jinja2")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with blastscope's wheel and nothing but its base needs."""
    folder = tmp_path_factory.mktemp("base")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    subprocess.run([*build, str(_ROOT)], check=True)
    (wheel,) = wheels.glob("blastscope-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    install = [str(folder / "venv/bin/python"), "-m", "pip", "--disable-pip-version-check"]
    lock = _ROOT / "locks" / "edge.txt"
    subprocess.run(
        [*install, "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True
    )
    subprocess.run([*install, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    return folder / "venv" / "bin"


def run(base: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(base / "blastscope"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
    )


def test_training_libraries_are_absent(base: Path, tmp_path: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {_ABSENT} if u.find_spec(n)])"
    done = subprocess.run(
        [str(base / "python"), "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"


def test_commands_are_listed(base: Path, tmp_path: Path) -> None:
    done = run(base, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    for name in COMMANDS:
        assert run(base, name, "--help", cwd=tmp_path).returncode == 0


def test_frames_are_classified(base: Path, tiny_model: Path, smears: Path, tmp_path: Path) -> None:
    images = smears / "Benign"
    done = run(base, "classify", images, "--model", tiny_model, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len([json.loads(line)["label"] for line in done.stdout.splitlines()]) == 24
    ours = run(base, "classify", images, "--json", cwd=tmp_path)
    assert ours.returncode == 0, ours.stderr
    assert len(ours.stdout.splitlines()) == 24
    words = ("watch", "--camera", "simulated", "--frames", 2, "--model", tiny_model, "--json")
    assert len(run(base, *words, cwd=tmp_path).stdout.splitlines()) == 2
    assert run(base, "doctor", "--model", tiny_model, cwd=tmp_path).returncode == 0
    assert run(base, "bench", tiny_model, "--rounds", 3, cwd=tmp_path).returncode == 0


def test_int8_models_are_evaluated(
    base: Path, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    done = run(base, "evaluate", tiny_model, smears, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n"] == 96


def test_other_commands_name_what_to_install(base: Path, smears: Path, tmp_path: Path) -> None:
    for words in (
        ("train", "custom-cnn", "--data", smears, "--out", tmp_path / "run"),
        ("quantize", tmp_path / "run", "--out", tmp_path / "model.tflite"),
        ("evaluate", tmp_path / "run", smears),
        ("demo",),
    ):
        done = run(base, *words, cwd=tmp_path)
        assert done.returncode == 2
        assert "pip install '.[train,quantize]'" in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
