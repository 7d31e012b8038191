"""C-NMC: random splits beside unseen subjects, float beside int8, in one command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from edge.cell_crop import CellCrop
from edge.cli.main import run
from tests.train.cell_images import write_cells
from train.evaluation.by_subject import subject_figures
from train.recipes import RECIPES, Recipe


@pytest.fixture
def light_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real network, of a few seconds."""
    crop = CellCrop(288, 450)
    light = Recipe("custom-cnn", 32, 1, 8, 2e-3, 1e-3, ("turn",), task="binary", cell=crop)
    monkeypatch.setitem(RECIPES, "cell", light)


def _command(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = run([str(word) for word in words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_both_splits_and_both_precisions_stand_side_by_side(
    light_recipe: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = write_cells(tmp_path / "cells"), tmp_path / "study"
    words = ("reproduce", "cnmc", data, "--out", out, "--seeds=0")
    code, markdown, _ = _command(capsys, *words)
    assert code == 0
    assert "| figure | random, float | random, int8 | random, size alone | unseen subjects" in (
        markdown
    )
    for said in (
        "weighted F1",
        "50 cells of 3 leukemic and 2 healthy subjects",
        "patients may be on both",
        "no subject of the test part",
        "bootstrap over subjects within each class",
        "`blastscope reproduce cnmc DATA --out DIR --seeds=0`",
        "| H1 | hem | 10 |",
    ):
        assert said in markdown
    # Keras writes a line about its export where a test has replaced standard output.
    assert markdown.removesuffix("\n").endswith((out / "reproduction.md").read_text())
    assert (out / "reproduction.png").read_bytes().startswith(b"\x89PNG")

    code, printed, told = _command(capsys, *words, "--json")
    assert code == 0
    assert "3 of 3 runs are finished already" in told
    report = json.loads(printed)
    assert report == json.loads((out / "reproduction.json").read_text())
    unseen = report["unseen"]
    assert unseen["n"] == 50, "each cell once, by the network that has not seen its subject"
    assert [one["subject"] for one in unseen["subjects"]["int8"]] == ["1", "2", "3", "H1", "H2"]
    held = [
        json.loads(path.read_text())
        for path in sorted(out.glob("runs/cell/unseen-subjects-*/cells-test.json"))
    ]
    targets = np.concatenate([one["targets"] for one in held])
    for precision in ("float", "int8"):
        scores = np.concatenate([one["scores"][precision] for one in held])
        # Of the same scores `all` counts, the first class, and so it does here.
        expected = f1_score(targets, scores.argmax(axis=1), average="weighted", zero_division=0)
        found = unseen["report"][precision]["weighted_f1"]
        assert found == pytest.approx(expected)
        low, high = unseen["report"][precision]["weighted_f1_ci95"]
        assert low <= found <= high
        assert unseen["report"][precision]["intervals"]["groups"] == 5
    same = [
        np.argmax(one["scores"]["float"], axis=1) == np.argmax(one["scores"]["int8"], axis=1)
        for one in held
    ]
    assert unseen["agreement"] == {"int8": pytest.approx(np.concatenate(same).mean())}
    # The drawn malignant cells are larger, without exception.
    assert unseen["report"]["size alone"]["accuracy"] > 0.9
    assert {one["precision"] for one in report["quantized"]} == {"int8"}
    assert len(report["quantized"]) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("nameless", "UID_<subject>_<image>_<cell>_<all or hem>"),
        ("one healthy", "two subjects or more"),
        ("one class", "two classes or more"),
        ("other classes", "C-NMC has the classes all and hem"),
    ],
)
def test_bad_sets_are_told_plainly_and_leave_nothing(
    change: str,
    message: str,
    light_recipe: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    subjects = {"all": ("1", "2"), "hem": ("H1",) if change == "one healthy" else ("H1", "H2")}
    if change == "one class":
        del subjects["hem"]
    data = write_cells(tmp_path / "cells", subjects)
    if change == "nameless":
        (data / "hem" / "UID_H1_1_1_hem.bmp").rename(data / "hem" / "healthy.bmp")
    if change == "other classes":
        (data / "hem").rename(data / "Benign")
    out = tmp_path / "study"
    code, _, told = _command(capsys, "reproduce", "cnmc", data, "--out", out)
    assert code == 2
    assert message in told
    assert "Traceback" not in told
    assert not out.exists()


def test_cell_network_takes_no_fields(
    smears: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", "cell", "--data", smears, "--out", tmp_path / "run")
    code, _, told = _command(capsys, *words)
    assert code == 2
    assert "cell is for the binary task: the classes all and hem" in told
    assert not (tmp_path / "run").exists()


def test_subjects_have_their_own_shares() -> None:
    targets = np.array([0, 0, 0, 1, 1])
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.5, 0.5]], np.float32)
    rows = subject_figures(["7", "7", "8", "H1", "H1"], targets, scores, ("all", "hem"))
    assert [(row["subject"], row["label"], row["n"], row["accuracy"]) for row in rows] == [
        ("7", "all", 2, 0.5),
        ("8", "all", 1, 1.0),
        ("H1", "hem", 2, 0.5),
    ], "of two classes with the same score, benign never wins"
    low, high = rows[0]["accuracy_ci95"]
    assert (low, high) == pytest.approx((0.0945, 0.9055), abs=1e-4)
