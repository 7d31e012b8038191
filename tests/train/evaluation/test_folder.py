"""Reports of an evaluation: the page, its pictures, and the command that writes them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Command
from train.evaluation.activation_sheet import choose_images
from train.evaluation.contact_sheet import Tile, draw_contact_sheet
from train.evaluation.evaluation import Evaluation, run_evaluation
from train.evaluation.folder import write_folder
from train.evaluation.metrics import classification_report
from train.evaluation.mistakes import MOST_MISTAKES, draw_mistakes, find_mistakes


def shape(path: Path) -> tuple[int, ...]:
    picture = cv2.imread(str(path))
    assert picture is not None
    return tuple(picture.shape)


@pytest.fixture(scope="module")
def evaluation(tiny_model: Path, smears: Path) -> Evaluation:
    return run_evaluation(tiny_model, smears)


def with_scores(evaluation: Evaluation, scores: np.ndarray) -> Evaluation:
    figures = classification_report(evaluation.targets, scores, evaluation.image_set.labels)
    return replace(evaluation, scores=scores, report={**evaluation.report, **figures})


def test_mistakes_are_found_the_surest_first() -> None:
    scores = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], np.float32)
    assert find_mistakes(scores, np.array([1, 1, 1, 0]), "ab").tolist() == [1, 3, 0]


def test_images_to_show_are_mistakes_then_some_of_each_class() -> None:
    targets = np.repeat([0, 1], 20)
    scores = np.eye(2, dtype=np.float32)[targets]
    scores[[3, 25]] = scores[[3, 25], ::-1]
    chosen = choose_images(scores, targets, "abcd"[: scores.shape[1]])
    assert chosen[:2].tolist() == [3, 25]
    assert targets[chosen[2:]].tolist() == [0, 0, 0, 1, 1, 1]
    assert len(set(chosen.tolist())) == 8


def test_report_without_a_mistake(evaluation: Evaluation, tmp_path: Path) -> None:
    perfect = with_scores(evaluation, np.eye(4, dtype=np.float32)[evaluation.targets])
    (tmp_path / "misclassified.png").touch()
    page = " ".join(write_folder(tmp_path, perfect, perfect.report, "a model").read_text().split())
    assert "Misclassified images</h2> <p>None.</p>" in page
    assert "100.00%" in page
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"index.html", "evaluation.json", "confusion_matrix.png", "reliability.png"}


def test_mistakes_beyond_the_cap_are_counted(evaluation: Evaluation, tmp_path: Path) -> None:
    wrong = np.eye(4, dtype=np.float32)[(evaluation.targets + 1) % 4]
    all_wrong = with_scores(evaluation, wrong)
    assert draw_mistakes(tmp_path / "sheet.png", all_wrong) == (MOST_MISTAKES, 96)
    page = write_folder(tmp_path, all_wrong, all_wrong.report, "a model").read_text()
    assert f"surest of\n  96 mistakes; {96 - MOST_MISTAKES} are left out" in page


def test_sheet_has_room_for_every_tile(tmp_path: Path) -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    sizes = []
    for count in (1, 3, 4):
        tiles = [Tile(picture, "cost: $1, $2\ntwo", index == 0) for index in range(count)]
        draw_contact_sheet(tmp_path / "sheet.png", tiles, columns=3)
        sizes.append(shape(tmp_path / "sheet.png")[:2])
    assert sizes[1][1] == pytest.approx(3 * sizes[0][1], abs=3)
    assert sizes[2][0] == pytest.approx(2 * sizes[1][0], abs=3)


def test_command_writes_a_page_of_a_run(
    blastscope: Command, finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    words = ("evaluate", finished_run, smears, "--part", "test", "--report", out, "--json")
    done = blastscope(*words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads((out / "evaluation.json").read_text()) == report
    energy = report["class_activation"]
    assert energy["n"] == 20
    assert 0 <= energy["white_cells"]["share"] <= 1
    page = (out / "index.html").read_text()
    assert "Where the network looks" in page
    assert report["data_sha256"] in page
    assert "the test part of the split" in page
    assert f"{report['accuracy']:.2%}" in page
    assert len(re.findall(r'src="data:image/png;base64,', page)) == len(list(out.glob("*.png")))
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert all(min(shape(path)[:2]) > 200 for path in out.glob("*.png"))


def test_command_reports_an_int8_file_without_class_activation(
    blastscope: Command, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    done = blastscope("evaluate", tiny_model, smears, "--report", tmp_path / "report")
    assert done.returncode == 0, done.stderr
    assert "Where the network looks" not in (tmp_path / "report" / "index.html").read_text()
    assert "expected calibration error" in done.stdout
    assert "malignant: sensitivity" in done.stdout
    refused = blastscope("evaluate", tiny_model, smears, "--cam")
    assert refused.returncode == 2
    assert "float network" in refused.stderr
    assert "run folder" in refused.stderr


def test_command_says_where_it_cannot_write(
    blastscope: Command, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = blastscope("evaluate", tiny_model, smears, "--report", tmp_path / "file")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_int8_files_are_evaluated_without_the_training_libraries(
    tiny_model: Path, smears: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from train.evaluation import evaluate; "
        "evaluate(Path(sys.argv[1]), Path(sys.argv[2])); "
        "print([n for n in ('keras', 'tensorflow', 'sklearn', 'scipy', 'matplotlib', 'jinja2') "
        "if n in sys.modules])"
    )
    words = [sys.executable, "-c", code, str(tiny_model), str(smears)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
