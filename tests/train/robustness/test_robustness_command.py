"""blastscope robustness as a person or a script meets it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Command
from train.robustness.catalogue import DEGRADATIONS


@pytest.fixture(scope="module")
def study(
    blastscope: Command,
    finished_run: Path,
    tiny_model: Path,
    smears: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, object], Path]:
    """The JSON and the folder of one study of float and int8."""
    out = tmp_path_factory.mktemp("robustness") / "out"
    words = ["--part", "test", "--split", finished_run / "split.csv", "--per-class", 2]
    done = blastscope(
        "robustness", finished_run, tiny_model, smears, *words, "--out", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert "Beware" not in done.stderr
    return json.loads(done.stdout), out


def test_json_keeps_its_form(
    study: tuple[dict[str, object], Path], finished_run: Path, tiny_model: Path
) -> None:
    report, out = study
    assert json.loads((out / "robustness.json").read_text()) == report
    assert report["data"]["n"] == 8  # type: ignore[index]
    assert report["data"]["n_in_part"] == 20  # type: ignore[index]
    assert list(report["catalogue"]) == [one.name for one in DEGRADATIONS]  # type: ignore[call-overload]
    models = report["models"]
    assert list(models) == [finished_run.name, tiny_model.name]  # type: ignore[call-overload]
    for model in models.values():  # type: ignore[attr-defined]
        assert model["trained_on"] == 0
        assert 0 <= model["mean_corruption_accuracy"] <= 1
        for one in model["degradations"].values():
            assert len(one["severities"]) == 5
            assert set(one["tolerance"]) == {"severity", "value", "reached"}
        assert set(model["alterations"]) == {
            "laboratory shift",
            "corner blanked",
            "corner swapped",
        }
        for outcome in model["alterations"].values():
            assert set(outcome) == {
                "accuracy",
                "accuracy_ci95",
                "unchanged",
                "drop_points",
                "drop_points_ci95",
            }


def test_page_carries_its_pictures_and_figures(
    study: tuple[dict[str, object], Path], tiny_model: Path
) -> None:
    _, out = study
    page = (out / "index.html").read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert [base64.b64decode(one) for one in pictures] == [
        (out / name).read_bytes() for name in ("curves.png", "examples.png")
    ]
    for name in ("curves.png", "examples.png"):
        picture = cv2.imread(str(out / name))
        assert picture is not None
        assert np.std(picture) > 5
    for name in (tiny_model.name, "not a medical device", *(one.name for one in DEGRADATIONS)):
        assert name in page


def test_the_same_seed_gives_the_same_figures(
    blastscope: Command,
    study: tuple[dict[str, object], Path],
    tiny_model: Path,
    finished_run: Path,
    smears: Path,
) -> None:
    words = ["--part", "test", "--split", finished_run / "split.csv", "--per-class", 2, "--json"]
    done = blastscope("robustness", tiny_model, smears, *words)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)["models"][tiny_model.name]
    assert again == study[0]["models"][tiny_model.name]  # type: ignore[index]


def test_table_and_warning_for_people(blastscope: Command, tiny_model: Path, smears: Path) -> None:
    done = blastscope("robustness", tiny_model, smears, "--per-class", 1)
    assert done.returncode == 0, done.stderr
    assert "trained on some of these images" in done.stderr
    assert "n = 4" in done.stdout
    for words in ("mean corruption", "laboratory shift", "corner swapped", "under-exposure"):
        assert words in done.stdout


def test_help_names_every_degradation(blastscope: Command) -> None:
    done = blastscope("robustness", "--help")
    for one in DEGRADATIONS:
        assert one.parameter in done.stdout


def test_an_output_that_exists_is_refused_before_any_work(
    blastscope: Command, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    done = blastscope("robustness", tiny_model, smears, "--out", tmp_path)
    assert done.returncode == 2
    assert "must not exist yet" in done.stderr
    assert "Traceback" not in done.stderr
