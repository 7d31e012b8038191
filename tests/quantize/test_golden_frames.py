"""Golden frames: every way through preprocessing, and a class that no rounding changes."""

from __future__ import annotations

import numpy as np
import pytest

from edge.golden_frames import decode_golden_frame, run_golden_frame
from edge.interpreter import Interpreter
from edge.model_file import read_model_file
from edge.preprocess import preprocess
from edge.shipped_models import SHIPPED_MODELS, shipped_model
from quantize.golden_frames import LEAD, choose_golden_frames, draw_golden_frame
from tests.edge.small_model import SIDE, make_graph


def _lead(output: list[int]) -> int:
    second, first = sorted(output)[-2:]
    return first - second


def test_they_take_every_way_through_preprocessing() -> None:
    shapes = [
        decode_golden_frame(draw_golden_frame(number, 1, 224, 224, on_black=False), "frame").shape
        for number in range(4)
    ]
    assert shapes == [(224, 224, 3), (112, 112, 3), (112, 157, 3), (560, 785, 3)]


@pytest.mark.parametrize(("height", "width"), [(8, 8), (1, 4), (96, 128), (1000, 700)])
def test_they_fit_inputs_of_any_shape(height: int, width: int) -> None:
    files = [draw_golden_frame(number, 1, height, width, on_black=False) for number in range(4)]
    assert sum(map(len, files)) < 200_000
    for data in files:
        pixels = preprocess(decode_golden_frame(data, "frame"), height, width)
        assert pixels.shape == (height, width, 3)


@pytest.mark.parametrize("wanted", [LEAD, 256])
def test_the_first_sure_drawing_of_each_class_is_taken_and_else_the_surest(
    wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantize.golden_frames.LEAD", wanted)
    graph = make_graph()
    interpreter = Interpreter(graph, "small")
    files, section = choose_golden_frames(graph, SIDE, SIDE)
    assert list(files) == [frame["file"] for frame in section["frames"]]
    for number, frame in enumerate(section["frames"]):
        leads = {}
        for seed in range(2025 + number, 2025 + number + 64, 4):
            drawn = draw_golden_frame(number, seed, SIDE, SIDE, on_black=False)
            pixels = decode_golden_frame(drawn, "frame")
            leads[seed] = _lead(run_golden_frame(interpreter, pixels, SIDE, SIDE)[1])
            if seed == frame["seed"]:
                assert files[frame["file"]] == drawn
        sure = [seed for seed, lead in leads.items() if lead >= wanted]
        assert frame["seed"] == (sure[0] if sure else max(leads, key=lambda seed: leads[seed]))
        assert bool(sure) == (wanted == LEAD), "or this tests one of the two ways alone"


@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_models_that_come_along_are_sure_of_theirs(name: str) -> None:
    frames = read_model_file(shipped_model(name)).card["golden"]["frames"]
    assert min(_lead(frame["output"]) for frame in frames) >= LEAD
    classes = {int(np.argmax(frame["output"])) for frame in frames}
    assert len(classes) > 1
