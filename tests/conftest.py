"""Fixtures that every house's tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.smear import write_dataset
from quantize.accuracy_gate.criterion import Criterion

#: Lets any model pass the accuracy gate.
LAX = Criterion(100.0, 100.0, 10**6, 0.0)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and weights; tests that need it skip loudly where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("BLASTSCOPE_SHARED", default))
    if not (folder / "data" / "all4").is_dir():
        pytest.skip(f"REAL IMAGES ABSENT: no all4 set under {folder}; set BLASTSCOPE_SHARED")
    return folder


@pytest.fixture(scope="session", autouse=True)
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of decoded images for the tests, which leave the user's own alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLASTSCOPE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def smears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set of simulated smears, 24 of each class."""
    folder = tmp_path_factory.mktemp("data") / "smears"
    write_dataset(folder, 24, seed=3)
    return folder


@pytest.fixture(scope="session")
def finished_run(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a custom CNN trained for two epochs: real, and not yet good."""
    from train.keras_loading import load_keras

    load_keras()
    from train.training import train

    out = tmp_path_factory.mktemp("runs") / "run"
    train("custom-cnn", smears, out, epochs=2, seed=0)
    return out


@pytest.fixture(scope="session")
def tiny_model(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one-file int8 model of `finished_run`, 224 x 224 pixels, four classes."""
    from quantize.quantization import quantize

    out = tmp_path_factory.mktemp("models") / "model.tflite"
    quantize(finished_run, out, criterion=LAX)
    return out


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def blastscope() -> Command:
    """Run the real command in a process of its own and return what it printed."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "edge.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            **options,  # type: ignore[call-overload]
        )

    return run
