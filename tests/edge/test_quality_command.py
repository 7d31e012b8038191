"""`blastscope quality`, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.quality import assess, load_limits
from edge.quality.assessment import MEASURES
from edge.smear import FieldOptions, render_field
from tests.conftest import Command


def save(path: Path, image: NDArray[np.uint8]) -> Path:
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A simulated field that keeps the limits that come along."""
    for seed in range(50):
        image = render_field("Pre", seed, options=FieldOptions(stain_variation=0.3))
        if not load_limits().findings(assess(image)):
            return save(tmp_path / "good.png", image)
    pytest.fail("no simulated field of 50 is a good one")


def test_good_image_is_ok(blastscope: Command, good: Path) -> None:
    done = blastscope("quality", good)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(good), "ok"]
    assert "not a medical device" in done.stderr
    done = blastscope("quality", good, "--json")
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["ok"], row["findings"]) == (True, [])
    assert tuple(row["measures"]) == MEASURES


def test_bad_image_comes_with_instructions(blastscope: Command, good: Path, tmp_path: Path) -> None:
    black = save(tmp_path / "black.png", np.zeros((480, 640, 3), np.uint8))
    done = blastscope("quality", good, black)
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first.endswith("  ok")
    assert "repeat  Too dark: turn the lamp up" in second
    assert "No white cell in sight: move to another place" in second
    assert "1 of 2 images are to be taken again" in done.stderr
    done = blastscope("quality", tmp_path, "--json")
    assert done.returncode == 1
    rows = {Path(row["path"]).name: row for row in map(json.loads, done.stdout.splitlines())}
    finding = rows["black.png"]["findings"][0]
    assert (finding["measure"], finding["value"]) == ("brightness", 0.0)
    assert finding["limit"] > 0.0


def test_unreadable_image_gives_an_error_line(
    blastscope: Command, good: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("text")
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.zeros((9, 9), np.uint8))
    empty = tmp_path / "empty"
    empty.mkdir()
    paths = (broken, good, grey, empty, tmp_path / "absent.png")
    done = blastscope("quality", *paths, "--json")
    assert done.returncode == 2
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [("error" in row) for row in rows] == [True, False, True, True, True]
    assert "4 of 5 images could not be assessed" in done.stderr
    assert "Traceback" not in done.stderr
    assert "error: " in blastscope("quality", broken).stdout


def test_limits_and_calibration_are_taken(blastscope: Command, good: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict.json"
    limits = load_limits().as_json()
    strict.write_text(json.dumps({**limits, "limits": {"sharpness": [9.0, None]}}))
    done = blastscope("quality", good, "--limits", strict, "--json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["measure"], finding["limit"]) == ("sharpness", 9.0)
    green = save(tmp_path / "green.png", np.full((224, 224, 3), (200, 250, 200), np.uint8))
    done = blastscope("quality", good, "--calibration", green)
    assert done.returncode == 1
    assert "Colours are too red" in done.stdout
    for option in ("--limits", "--calibration"):
        for bad in (tmp_path / "absent", tmp_path, good if option == "--limits" else strict):
            done = blastscope("quality", good, option, bad)
            assert done.returncode == 2
            assert str(bad) in done.stderr
            assert "Traceback" not in done.stderr
            assert done.stdout == ""
