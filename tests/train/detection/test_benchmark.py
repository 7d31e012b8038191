"""Boxes that were found against boxes that people have drawn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge.cells import find_white_cells
from edge.errors import DatasetError
from edge.smear import render_field
from train.detection.annotations import read_fields
from train.detection.benchmark import (
    LEAST_PRECISION,
    LEAST_RECALL,
    broken_promises,
    measure,
    summarize,
)
from train.detection.matching import intersection_over_union, match_boxes

BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


def write_field(folder: Path, name: str, seed: int, boxes: list[tuple[int, ...]]) -> None:
    """A simulated field, with boxes of white cells and one of a red cell."""
    for part in ("JPEGImages", "Annotations"):
        (folder / part).mkdir(exist_ok=True)
    bgr = cv2.cvtColor(render_field("Early", seed), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "JPEGImages" / f"{name}.png"), bgr)
    objects = "".join(f"<object><name>WBC</name>{BOX.format(*box)}</object>" for box in boxes)
    objects += f"<object><name>RBC</name>{BOX.format(1, 1, 20, 20)}</object>"
    xml = f"<annotation>{objects}</annotation>"
    (folder / "Annotations" / f"{name}.xml").write_text(xml)


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Six fields with the very boxes that the finder gives."""
    for seed in range(6):
        boxes = [cell.box for cell in find_white_cells(render_field("Early", seed))]
        write_field(tmp_path, f"field-{seed}", seed, boxes)
    return tmp_path


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "train.detection.benchmark", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )


def test_overlap_is_the_shared_area_against_both() -> None:
    assert intersection_over_union((0, 0, 4, 4), (2, 0, 6, 4)) == pytest.approx(8 / 24)
    assert intersection_over_union((0, 0, 4, 4), (4, 0, 8, 4)) == 0.0
    assert intersection_over_union((0, 0, 4, 4), (0, 0, 4, 4)) == 1.0


def test_each_true_box_is_given_away_once_by_score() -> None:
    true = [(0, 0, 10, 10), (20, 0, 30, 10)]
    found = [(0, 0, 10, 8), (0, 0, 10, 10), (20, 0, 30, 4), (50, 50, 60, 60)]
    assert match_boxes(found, true) == {0: 0}
    assert match_boxes(found, true, least=0.4) == {0: 0, 2: 1}
    assert match_boxes(found, []) == match_boxes([], true) == {}


def test_boxes_of_one_kind_are_read_and_halves_do_not_depend_on_neighbours(marked: Path) -> None:
    fields = read_fields(marked)
    assert [field.path.stem for field in fields] == [f"field-{seed}" for seed in range(6)]
    assert all(field.boxes for field in fields)
    assert [len(field.boxes) for field in read_fields(marked, "RBC")] == [1] * 6
    (marked / "JPEGImages" / "field-0.png").unlink()
    assert read_fields(marked) == fields[1:]
    halves = {tuple(one.development for one in read_fields(marked, seed=s)) for s in range(4)}
    assert len(halves) > 1


@pytest.mark.parametrize(
    "xml",
    [None, "<annotation>", f"<a><object><name>WBC</name>{BOX.format(9, 0, 5, 5)}</object></a>"],
)
def test_bad_annotations_are_refused_by_name(marked: Path, xml: str | None) -> None:
    path = marked / "Annotations" / "field-3.xml"
    path.unlink()
    if xml is not None:
        path.write_text(xml)
    with pytest.raises(DatasetError, match=r"field-3\.xml"):
        read_fields(marked)


def test_figures_count_what_is_right(marked: Path) -> None:
    outcomes = measure(read_fields(marked), repeats=1)
    figures = summarize(outcomes)
    assert figures["recall"] == figures["precision"] == figures["mean_iou"] == 1.0
    assert figures["recall_ci95"][0] < 1.0
    true = [box for one in outcomes for box in one.field.boxes]
    write_field(marked, "field-0", 0, [])
    lost = len(outcomes[0].field.boxes)
    figures = summarize(measure(read_fields(marked), repeats=1))
    assert figures["recall"] == 1.0
    assert figures["precision"] == pytest.approx((len(true) - lost) / len(true))
    assert summarize([])["recall"] is None


def test_command_fails_where_a_promise_is_broken(marked: Path) -> None:
    done = run(marked, "--json")
    report = json.loads(done.stdout)
    assert report["held out"]["recall"] == 1.0
    assert report["all"]["fields"] == 6
    for seed in range(6):
        write_field(marked, f"field-{seed}", seed, [(0, 0, 3, 3)])
    done = run(marked)
    assert done.returncode == 1
    assert "recall 0.000 is below 0.95" in done.stderr
    assert "held out" in done.stdout
    absent = run(marked / "absent")
    assert absent.returncode == 2
    assert "Traceback" not in absent.stderr


def test_cells_of_bccd_are_found_as_promised(shared: Path) -> None:
    folder = shared / "data" / "bccd"
    if not folder.is_dir():
        pytest.skip(f"REAL IMAGES ABSENT: no bccd set under {shared}")
    fields = [field for field in read_fields(folder) if not field.development]
    figures = summarize(measure(fields, repeats=1))
    assert figures["fields"] == 96
    assert figures["recall"] >= LEAST_RECALL
    assert figures["precision"] >= LEAST_PRECISION
    assert broken_promises({**figures, "core_ms": 0.0}) == []
