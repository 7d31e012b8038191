"""blastscope bench --end-to-end and --sustained on a model that comes along."""

from __future__ import annotations

import json
import time
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import Classifier
from edge.bench import measure_end_to_end
from edge.bench.sustained import measure_sustained
from edge.errors import FrameError
from edge.model_file import read_model_file
from edge.shipped_models import find_model
from edge.smear import render_field
from tests.conftest import Command

STAGES = ["decode", "preprocess", "quality", "invoke", "decide"]


def test_end_to_end_tells_every_stage_of_every_size(blastscope: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = blastscope(
        "bench", "fast", "--end-to-end", "--rounds", 5, "--against", "mediapipe,openvino",
        "--out", out, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads((out / "end_to_end.json").read_text())
    measured = report["models"]["fast"]
    sizes = [(one["frame_width"], one["frame_height"]) for one in measured]
    assert sizes == [(224, 224), (640, 480), (4056, 3040)]
    for one in measured:
        assert list(one["shares"]) == STAGES
        assert sum(one["shares"].values()) == pytest.approx(1.0)
        assert one["threads"] == 1
        # All of it is one turn.
        assert one["ratio"] == pytest.approx(one["decision"]["p50_ms"] / one["bare"]["p50_ms"])
        first = one["first_decision"]["p50_ms"] / one["first_bare"]["p50_ms"]
        assert one["first_ratio"] == pytest.approx(first)
        explained = one["explained"]["p50_ms"]
        assert one["explained_ratio"] == pytest.approx(explained / one["bare"]["p50_ms"])
        # What a caller waits for is no less than its parts, each at its fastest half.
        assert one["decision"]["p90_ms"] >= one["stages"]["invoke"]
    assert [one["rounds"] for one in measured] == [5, 5, 1]
    picture = cv2.imread(str(out / "end_to_end.png"))
    assert picture.shape[1] > 800


def test_end_to_end_as_a_person_reads_it(blastscope: Command) -> None:
    done = blastscope("bench", "fast", "--end-to-end", "--rounds", 3, "--width", 300)
    assert done.returncode == 0, done.stderr
    assert "300 x 300" in done.stdout
    assert "frame to decision" in done.stdout
    assert "with embedding and activation" in done.stdout
    assert "4056" not in done.stdout


def test_rounds_and_peers_are_timed_on_the_same_frame() -> None:
    frame = render_field("Pre", 3, width=320, height=240)

    class Peer:
        runtime = delegate = input_dtype = ""
        outputs = 4
        invoke = None
        seen = 0

        def classify(self, given: np.ndarray) -> int:
            assert given is frame
            self.seen += 1
            return 0

        def close(self) -> None: ...

    peer = Peer()
    told: list[tuple[int, int]] = []
    measured = measure_end_to_end(
        read_model_file(find_model("fast")),
        frame,
        rounds=7,
        threads=1,
        peers={"other": peer},
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(5, 7), (7, 7)]
    assert peer.seen > 7 + 2, "and the first of each turn, and before all"
    assert set(measured.peers) == {"other"}
    assert (measured.frame_width, measured.frame_height) == (320, 240)


def test_turns_are_frames_in_a_row_of_which_the_first_counts_apart() -> None:
    seen: list[str] = []

    class Peer:
        runtime = delegate = input_dtype = ""
        outputs = 4
        invoke = None

        def __init__(self, name: str) -> None:
            self.name = name

        def classify(self, given: np.ndarray) -> int:
            if seen and seen[-1] != self.name:
                # What it takes to fetch one's memory back from where another has driven it to.
                time.sleep(0.2)
            seen.append(self.name)
            return 0

        def close(self) -> None: ...

    measured = measure_end_to_end(
        read_model_file(find_model("fast")),
        render_field("Pre", 3, width=64, height=64),
        rounds=15,
        threads=1,
        peers={name: Peer(name) for name in ("one", "other")},
        seed=20,
    )
    turns = [(name, len(list(group))) for name, group in groupby(seen[-2 * 3 * 6 :])]
    assert turns == [("one", 6), ("other", 6)] * 3
    assert max(timing.p90_ms for timing in measured.peers.values()) < 200


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(FrameError):
        measure_end_to_end(read_model_file(find_model("fast")), np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--end-to-end", "--sustained", 1), "one of the two at a time"),
        (("--end-to-end", "--data", "."), "--data or --split besides"),
        (("--sustained", 0), "0.0 is not in the range"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(
    blastscope: Command, arguments: tuple[object, ...], said: str
) -> None:
    done = blastscope("bench", "fast", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_plain_file_has_no_decision(blastscope: Command, tmp_path: Path) -> None:
    model = read_model_file(find_model("fast"))
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(model.content[: model.graph_bytes])
    done = blastscope("bench", plain, "--end-to-end")
    assert done.returncode == 2
    assert "blastscope pack" in done.stderr


def test_sustained_work_is_cut_into_windows(blastscope: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = blastscope("bench", "fast", "--sustained", 0.04, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    (measured,) = json.loads(done.stdout)["models"].values()
    ends = [window["end_s"] for window in measured["windows"]]
    assert len(ends) >= 2
    assert ends == sorted(ends)
    assert ends[-1] >= 2.4
    assert all(window["frames"] > 0 for window in measured["windows"])
    assert measured["slowdown"] > 0
    assert (out / "sustained.png").is_file()


def test_sustained_work_tells_heat_and_energy(tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("61250\n")
    chip = tmp_path / "sys/class/hwmon/hwmon0"
    chip.mkdir(parents=True)
    (chip / "name").write_text("ina226\n")
    (chip / "power1_input").write_text("2500000\n")
    with Classifier.load("fast", threads=1) as classifier:
        outcome = measure_sustained(classifier, render_field("Pro", 0), 0.5, root=tmp_path)
    assert outcome.windows[-1].conditions.temperatures_c == {"cpu-thermal": 61.25}
    assert outcome.energy is not None
    assert outcome.energy.mean_watts == pytest.approx(2.5)


def test_ctrl_c_keeps_the_windows_that_are_complete() -> None:
    def stop(share: float, window: object) -> None:
        raise KeyboardInterrupt

    with Classifier.load("fast", threads=1) as classifier:
        outcome = measure_sustained(classifier, render_field("Pro", 0), 60.0, progress=stop)
    assert outcome.interrupted
    assert len(outcome.windows) == 1
