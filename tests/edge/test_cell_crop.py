"""A single cell on black: found, cut out, and the same in a model's hands as in training's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.cell_crop import BLACK, CellCrop, cut_cell, read_cell_crop
from edge.classifier import Classifier
from edge.errors import ModelFileError
from edge.model_card import CELL_METHOD, parse_card
from edge.model_file import ModelFile, parse_model_file
from edge.preprocess import preprocess
from edge.verification import verify_model
from quantize.card import minimal_card
from quantize.packing import pack_model
from tests.edge.small_model import SIDE, make_graph

CROP = CellCrop(288, 450)


def _cell(row: int, column: int, radius: int = 60, side: int = 450, seed: int = 0) -> np.ndarray:
    """A textured disc on black."""
    frame = np.random.default_rng(seed).integers(BLACK + 1, 200, (side, side, 3), np.uint8)
    down, across = np.ogrid[:side, :side]
    return frame * ((down - row) ** 2 + (across - column) ** 2 <= radius**2)[..., None].astype("u1")


def test_cell_is_in_the_middle_wherever_it_lies() -> None:
    square = cut_cell(_cell(225, 225), CROP)
    assert square.shape == (288, 288, 3)
    inside = np.argwhere(square.any(axis=2))
    assert inside.mean(axis=0).tolist() == [144, 144]
    assert np.ptp(inside, axis=0).tolist() == [120, 120]
    for row, column in ((100, 300), (70, 70), (380, 225)):
        moved = np.roll(_cell(225, 225), (row - 225, column - 225), axis=(0, 1))
        assert np.array_equal(cut_cell(moved, CROP), square)


def test_size_is_kept_and_goes_with_the_frame() -> None:
    """A cell twice as large stays so; a frame twice as large shows the same."""
    shares = [np.count_nonzero(cut_cell(_cell(225, 225, r), CROP).any(axis=2)) for r in (50, 100)]
    assert shares[1] / shares[0] == pytest.approx(4, rel=0.02)
    frame = _cell(200, 240)
    doubled = frame.repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(cut_cell(doubled, CROP)[::2, ::2], cut_cell(frame, CROP))


def test_what_lies_beyond_the_frame_is_black() -> None:
    square = cut_cell(_cell(0, 0, radius=90), CROP)
    rows, columns = np.nonzero(square.any(axis=2))
    assert rows.min() == columns.min() > 80
    assert square[rows.min() :, columns.min() :].any()
    wide = np.full((40, 90, 3), 200, np.uint8)
    assert cut_cell(wide, CellCrop(450, 450)).shape == (40, 40, 3)


@pytest.mark.parametrize("value", [0, BLACK, 255])
def test_frame_that_is_all_black_or_all_cell_gives_its_middle(value: int) -> None:
    frame = np.full((101, 101, 3), value, np.uint8)
    frame[50, 50] = value // 2
    square = cut_cell(frame, CellCrop(50, 100))
    assert square.shape == (50, 50, 3)
    assert square[25, 25].tolist() == [value // 2] * 3


def test_faint_rim_of_a_jpeg_moves_nothing() -> None:
    frame = _cell(225, 225)
    noisy = frame.copy()
    noisy[:40][noisy[:40] == 0] = BLACK
    assert np.array_equal(cut_cell(noisy, CROP), cut_cell(frame, CROP))


def test_pixels_are_the_same_on_every_machine() -> None:
    """Made once on x86-64; `make check-slow` holds an emulated arm64 to the golden frames."""
    pixels = preprocess(_cell(190, 260, radius=99), 96, 96, cell=CROP)
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    assert digest[:16] == "bdbe55391d5386d0"


def test_image_that_is_ready_is_taken_as_it_is() -> None:
    ready = preprocess(_cell(100, 300), 96, 96, cell=CROP)
    assert np.array_equal(preprocess(ready, 96, 96, cell=CROP), ready)


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    card = minimal_card("small", ("all", "hem", "x", "y"), SIDE, SIDE, cell=CellCrop(200, 450))
    content = pack_model(make_graph(SIDE), card)
    (tmp_path / "cell.tflite").write_bytes(content)
    return parse_model_file(tmp_path / "cell.tflite", content)


def test_model_sees_what_its_training_saw(model: ModelFile) -> None:
    assert model.cell == CellCrop(200, 450)
    assert model.card["preprocessing"]["method"] == CELL_METHOD
    frame = _cell(120, 330)
    with Classifier(model) as classifier:
        whole = classifier.classify(frame)
        assert np.array_equal(
            classifier.interpreter.input_view(), preprocess(frame, SIDE, SIDE, cell=model.cell)
        )
        assert whole.scores == classifier.classify(np.roll(frame, 40, axis=0)).scores
        assert (
            whole.scores
            == classifier.classify(preprocess(frame, SIDE, SIDE, cell=model.cell)).scores
        )


def test_golden_frames_of_a_cell_model_need_the_cell_found(model: ModelFile) -> None:
    assert all(one.state != "failed" for one in verify_model(model.path, None))
    listed = {frame["input_sha256"] for frame in model.card["golden"]["frames"]}
    plain = minimal_card("small", model.labels, SIDE, SIDE)
    other = parse_model_file(model.path, pack_model(make_graph(SIDE), plain))
    assert other.cell is None
    assert listed.isdisjoint(frame["input_sha256"] for frame in other.card["golden"]["frames"])


@pytest.mark.parametrize(
    "change",
    [{"method": "centre-crop, area by a whole factor, margin or linear exact"}, {"cell": None}],
)
def test_method_and_crop_go_together(model: ModelFile, change: dict[str, object]) -> None:
    section = {**model.card["preprocessing"], **change}
    section = {name: value for name, value in section.items() if value is not None}
    text = json.dumps({**model.card, "preprocessing": section})
    with pytest.raises(ModelFileError, match="preprocessing of x must be"):
        parse_card(Path("x"), text.encode())


def test_crop_is_written_as_it_is_read() -> None:
    assert read_cell_crop(CROP.as_json()) == CROP
    assert read_cell_crop(None) is None
    assert replace(CROP, side=1) != CROP
