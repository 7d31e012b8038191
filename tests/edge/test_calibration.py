"""The calibration frame, from an empty place to a file to what is judged against it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.errors import CalibrationError
from edge.quality import assess, load_limits, measure_calibration, read_calibration
from edge.quality.drift_log import DriftLog
from edge.smear import FieldOptions, render_field
from tests.conftest import Command

NOW = "2026-11-21T00:00:00+00:00"
EMPTY = FieldOptions(white_cells=0.0, red_cells=0.0, scale_bar=False, stain_variation=0.3)


def save(path: Path, image: NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return path


def glass(tint: tuple[int, int, int] = (0, 0, 0), light: int = 245) -> NDArray[np.uint8]:
    """An empty place with a sensor's noise."""
    noise = np.random.default_rng(1).normal(0.0, 1.5, (224, 224, 3))
    return np.clip(light + np.array(tint) + noise, 0, 253).astype(np.uint8)


def test_median_over_frames_is_kept(tmp_path: Path) -> None:
    frames = [glass(light=light) for light in (250, 251, 90)]
    calibration = measure_calibration(frames, "usb:0", NOW)
    assert calibration.quality.brightness == assess(frames[0]).brightness
    path = tmp_path / "station.json"
    path.write_text("what was kept before")
    calibration.write(path)
    assert read_calibration(path) == calibration.quality
    kept = json.loads(path.read_text())
    assert (kept["frames"], kept["camera"], kept["measured_at"]) == (3, "usb:0", NOW)


def test_simulated_empty_place_is_one() -> None:
    measure_calibration([render_field("Pre", 5, options=EMPTY)], "simulated", NOW)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (render_field("Pre", 1), "empty place"),
        (glass(light=60), "as bright as"),
        (np.full((224, 224, 3), 255, np.uint8), "burnt out"),
    ],
    ids=["cells", "dark", "burnt out"],
)
def test_place_that_is_no_empty_one_is_refused(image: NDArray[np.uint8], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        measure_calibration([image], "usb:0", NOW)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "measures": {"brightness": "high"}}']
)
def test_file_that_keeps_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station.json"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=str(path)):
        read_calibration(path)


def test_casts_are_judged_against_the_calibration_frame() -> None:
    """The same tint: a cast without calibration, and the lamp's own with it."""
    limits = load_limits()
    for seed in range(50):
        field = render_field("Pre", seed, options=FieldOptions(stain_variation=0.3))
        if not limits.findings(assess(field)):
            break
    tint = np.array([1.0, 0.99, 0.86])
    yellow = (field * tint).astype(np.uint8)
    lamp = measure_calibration([(glass() * tint).astype(np.uint8)], "usb:0", NOW).quality
    with Classifier.load("mobilenet-v2") as plain:
        assert "colours are too yellow" in plain.classify(yellow).reasons
    with Classifier.load("mobilenet-v2", calibration=lamp) as calibrated:
        assert "colours are too yellow" not in calibrated.classify(yellow).reasons
        assert "colours are too blue" in calibrated.classify(field).reasons


def test_drift_is_told_when_it_begins_and_when_it_ends() -> None:
    bright, dim = glass(), glass(light=217)
    log = DriftLog(calibration=assess(bright))
    events = [event for frame in [bright] * 128 + [dim] * 128 for event in log.update(frame, None)]
    assert [(event["event"], event["measure"]) for event in events] == [("drift", "brightness")]
    assert "turn the lamp up" in events[0]["message"]
    events = [event for frame in [bright] * 256 for event in log.update(frame, None)]
    assert [(event["event"], event["measure"]) for event in events] == [
        ("drift-ended", "brightness")
    ]
    assert log.warnings == {"brightness falling": 1}


def test_station_calibrates_and_watches(blastscope: Command, tmp_path: Path) -> None:
    empty, kept = save(tmp_path / "empty.png", glass()), tmp_path / "station.json"
    words = ("calibrate", "--camera", "replay", "--out", kept, "--source")
    done = blastscope(*words, empty, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(kept.read_text())
    before = kept.read_bytes()
    cells = save(tmp_path / "cells.png", render_field("Pre", 1))
    done = blastscope(*words, cells)
    assert done.returncode == 2
    assert "shows an empty place" in done.stderr
    assert kept.read_bytes() == before

    dim = tmp_path / "dim"
    dim.mkdir()
    for number in range(128):
        save(dim / f"{number}.png", glass(light=217))
    words = ("watch", "--camera", "replay", "--source", dim, "--model", "fast", "--json")
    done = blastscope(*words, "--calibration", kept)
    assert done.returncode == 0, done.stderr
    events = [row for row in map(json.loads, done.stdout.splitlines()) if "event" in row]
    assert [(row["event"], row["measure"]) for row in events] == [("drift", "brightness")]
    assert events[0]["reference"] == json.loads(before)["measures"]["brightness"]
    assert {"direction", "level", "limit", "instruction", "wall_clock"} <= set(events[0])
    assert "Drift: brightness falling 1." in done.stderr
    assert "event" not in blastscope(*words).stdout, "without calibration nothing has drifted"
    done = blastscope(*words, "--calibration", tmp_path / "absent.json")
    assert done.returncode == 2
    assert "blastscope calibrate" in done.stderr
