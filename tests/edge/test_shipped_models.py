"""The models that come along: whole, small enough, and used where none is named."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edge import Classifier
from edge.model_file import read_model_file
from edge.shipped_models import DEFAULT_MODEL, SHIPPED_MODELS, find_model, shipped_model
from edge.verification import verify_model
from tests.conftest import Command


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLASTSCOPE_MODEL", raising=False)


@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_every_model_is_what_its_card_says(name: str) -> None:
    model = read_model_file(shipped_model(name))
    assert model.name == name
    assert model.labels == ("Benign", "Early", "Pre", "Pro")
    assert all(one.state != "failed" for one in verify_model(model.path, None))
    card = model.card
    assert card["gate"]["outcome"] == "passed"
    assert "activation" in card
    assert card["gate"]["unseen_by_calibration"]["malignant_to_benign"] == 0
    assert card["training"]["test_fraction"] == 0.0
    assert card["metrics"]["part"] == "validation"
    assert set(card["metrics"]["int8"]["per_class"]) == set(model.labels)


def test_models_are_small() -> None:
    sizes = {name: shipped_model(name).stat().st_size for name in SHIPPED_MODELS}
    assert sum(sizes.values()) <= 6e6
    assert sizes["fast"] <= 700e3


def test_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_model("fast") == shipped_model("fast")
    assert find_model("slow") == Path("slow")
    Path("fast").write_bytes(b"mine")
    assert find_model("fast") == Path("fast")


def test_default_model_is_used_where_none_is_named(
    blastscope: Command, smears: Path, tmp_path: Path
) -> None:
    image = sorted((smears / "Pro").iterdir())[0]
    done = blastscope("classify", image, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Classifier.load() as classifier:
        assert json.loads(done.stdout)["model"] == classifier.model.model_id
        assert classifier.model.name == DEFAULT_MODEL
    named = {**os.environ, "BLASTSCOPE_MODEL": "fast"}
    done = blastscope(
        "watch", "--camera", "simulated", "--frames", 1, "--json", cwd=tmp_path, env=named
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == read_model_file(shipped_model("fast")).model_id
    checked = blastscope("verify", "custom-cnn", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_name_of_none_is_a_path_that_is_not_there(blastscope: Command, tmp_path: Path) -> None:
    done = blastscope("classify", "x.png", "--model", "faster", cwd=tmp_path)
    assert done.returncode == 2
    assert "faster" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told in kB on Linux")
@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_process_that_classified_a_frame_took_little_memory(name: str) -> None:
    code = (
        "import resource, sys, numpy; from edge import Classifier; "
        "Classifier.load(sys.argv[1]).classify(numpy.full((480, 640, 3), 200, numpy.uint8)); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    # A shell in between: a process begins with the peak of the one that it was forked from.
    command = shlex.join([sys.executable, "-c", code, name])
    done = subprocess.run(["sh", "-c", f"{command}; true"], capture_output=True, check=True)
    assert 30_000 < int(done.stdout) < 95_000
