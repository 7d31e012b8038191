"""White cells in fields: found where they are, and nowhere else, whatever the field."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge import crop_cell, find_white_cells, read_image
from edge.cells import WhiteCell, draw_cells, red_cell_diameter
from edge.errors import BlastscopeError, FrameError
from edge.smear import LABELS, FieldOptions, render_field
from tests.conftest import Command

GLASS, RED, BLUE_RED = (226, 226, 220), (190, 140, 138), (110, 140, 190)
CYTOPLASM, NUCLEUS = (190, 172, 216), (112, 72, 170)

#: Diameter of the red cells of `drawn_field`, and its white cells: x, y, radius.
RED_DIAMETER = 40
WHITE = ((120, 110, 32), (420, 300, 28), (620, 20, 30))


def drawn_field(
    white: tuple[tuple[int, int, int], ...] = WHITE, red: tuple[int, int, int] = RED
) -> NDArray[np.uint8]:
    """A field whose cells are discs at known places, with a platelet and a sensor's noise."""
    field = np.full((480, 640, 3), GLASS, np.uint8)
    for x in range(20, 640, 62):
        for y in range(25, 480, 58):
            if all(np.hypot(x - cx, y - cy) > r + RED_DIAMETER / 2 + 4 for cx, cy, r in white):
                cv2.circle(field, (x, y), RED_DIAMETER // 2, red, -1, cv2.LINE_AA)
    cv2.circle(field, (300, 200), 6, NUCLEUS, -1, cv2.LINE_AA)
    for x, y, radius in white:
        cv2.circle(field, (x, y), radius, CYTOPLASM, -1, cv2.LINE_AA)
        cv2.circle(field, (x, y), round(0.8 * radius), NUCLEUS, -1, cv2.LINE_AA)
    noise = np.random.default_rng(0).normal(0, 2, field.shape)
    return np.clip(cv2.GaussianBlur(field, (3, 3), 0) + noise, 0, 255).astype(np.uint8)


def assert_boxes(cells: list[WhiteCell], white: tuple[tuple[int, int, int], ...]) -> None:
    """Each disc has one cell whose box is the disc's to a few pixels."""
    assert len(cells) == len(white)
    for x, y, radius in white:
        true = [max(0, x - radius), max(0, y - radius), min(640, x + radius), min(480, y + radius)]
        best = min(cells, key=lambda cell: np.abs(np.subtract(cell.box, true)).sum())
        assert np.abs(np.subtract(best.box, true)).max() <= 6, (best.box, true)
        assert best.area == pytest.approx(_disc_area(x, y, radius), rel=0.2)


def _disc_area(x: int, y: int, radius: int) -> int:
    canvas = np.zeros((480, 640), np.uint8)
    return int(np.count_nonzero(cv2.circle(canvas, (x, y), radius, 1, -1)))


@pytest.mark.parametrize("red", [RED, BLUE_RED])
def test_cells_are_found_with_their_cytoplasm_whatever_red_cells_look_like(
    red: tuple[int, int, int],
) -> None:
    assert_boxes(find_white_cells(drawn_field(red=red)), WHITE)


def test_masks_fit_their_boxes_and_scores_fall() -> None:
    cells = find_white_cells(drawn_field())
    assert [cell.score for cell in cells] == sorted((cell.score for cell in cells), reverse=True)
    for cell in cells:
        xmin, ymin, xmax, ymax = cell.box
        assert cell.mask.shape == (ymax - ymin, xmax - xmin)
        assert cell.mask.dtype == np.bool_
        assert cell.mask.any(axis=0).all()
        assert 0.5 <= cell.score <= 1.0
        assert cell.as_json() == {
            "box": [xmin, ymin, xmax, ymax],
            "area": int(cell.mask.sum()),
            "score": round(cell.score, 4),
        }


def test_touching_cells_are_parted() -> None:
    pair = ((200, 200, 30), (256, 210, 30), (430, 300, 30))
    assert_boxes(find_white_cells(drawn_field(pair)), pair)


def test_lobes_of_a_nucleus_are_one_cell() -> None:
    field = drawn_field(())
    cv2.circle(field, (300, 300), 40, GLASS, -1)
    cv2.circle(field, (300, 300), 34, CYTOPLASM, -1, cv2.LINE_AA)
    for x, y in ((288, 290), (312, 292), (300, 314)):
        cv2.circle(field, (x, y), 11, NUCLEUS, -1, cv2.LINE_AA)
    cells = find_white_cells(field)
    assert len(cells) == 1
    assert np.abs(np.subtract(cells[0].box, (266, 266, 334, 334))).max() <= 6


@pytest.mark.parametrize("factor", [0.5, 2, 4])
def test_cells_are_the_same_at_any_magnification(factor: float) -> None:
    field = drawn_field()
    resized = cv2.resize(field, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    cells = find_white_cells(np.asarray(resized, np.uint8))
    assert len(cells) == len(WHITE)
    boxes = sorted(cell.box for cell in find_white_cells(field))
    found = np.array(sorted(cell.box for cell in cells)) / factor
    assert np.abs(found - boxes).max() <= 6
    assert red_cell_diameter(resized) / factor == pytest.approx(RED_DIAMETER, rel=0.2)


def test_given_diameter_is_used() -> None:
    """Where red cells are said to be huge, white ones are too small to be any."""
    field = drawn_field()
    assert len(find_white_cells(field, RED_DIAMETER)) == len(WHITE)
    assert find_white_cells(field, 5 * RED_DIAMETER) == []


@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_field_without_white_cells_has_none(seed: int) -> None:
    """Seed 3 has a smudged cell, which is one."""
    assert find_white_cells(drawn_field(())) == []
    options = FieldOptions(white_cells=0.0)
    cells = find_white_cells(render_field("Pre", seed, width=640, height=480, options=options))
    assert [cell for cell in cells if cell.score > 0.5] == []


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("size", [(224, 224), (640, 480)])
def test_simulated_fields_have_cells(label: str, size: tuple[int, int]) -> None:
    for seed in range(3):
        assert find_white_cells(render_field(label, seed, width=size[0], height=size[1]))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 500), (500, 2), (3, 3), (480, 640)])
@pytest.mark.parametrize("diameter", [None, 6.0, 1e6])
def test_no_frame_is_too_odd(shape: tuple[int, int], diameter: float | None) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    for frame in (noise, cv2.blur(noise, (5, 5)).reshape(noise.shape)):
        for cell in find_white_cells(frame, diameter):
            xmin, ymin, xmax, ymax = cell.box
            assert 0 <= xmin < xmax <= shape[1]
            assert 0 <= ymin < ymax <= shape[0]
            crop_cell(frame, cell)
        draw_cells(frame, find_white_cells(frame, diameter))
    for colour in ((0, 0, 0), (255, 255, 255), NUCLEUS):
        assert find_white_cells(np.full((*shape, 3), colour, np.uint8), diameter) == []


def test_frame_of_the_largest_camera_is_no_trouble() -> None:
    small = render_field("Pro", 1, width=338, height=253)
    frame = cv2.resize(small, (4056, 3040), interpolation=cv2.INTER_LINEAR)
    frame = np.asarray(frame, np.uint8)
    assert len(find_white_cells(frame)) == pytest.approx(len(find_white_cells(small)), abs=2)
    assert find_white_cells(np.zeros((3040, 4056, 3), np.uint8)) == []


def test_frame_need_not_be_contiguous_or_writable() -> None:
    field = drawn_field()
    mirrored = field[:, ::-1]
    field.setflags(write=False)
    assert len(find_white_cells(field)) == len(find_white_cells(mirrored)) == len(WHITE)


def test_bad_frames_and_diameters_are_refused() -> None:
    with pytest.raises(FrameError, match="RGB"):
        find_white_cells(np.zeros((9, 9), np.uint8))
    with pytest.raises(FrameError):
        red_cell_diameter(np.zeros((9, 9, 3), np.float32))  # type: ignore[arg-type]
    for diameter in (0.0, -3.0, 5.9, float("nan"), float("inf")):
        with pytest.raises(BlastscopeError, match="diameter is 6 pixels or more"):
            find_white_cells(drawn_field(), diameter)


def test_crop_shows_the_cell_alone_in_the_middle() -> None:
    field = drawn_field()
    (cell,) = (cell for cell in find_white_cells(field) if cell.box[0] > 300 and cell.box[1] > 200)
    xmin, ymin, xmax, ymax = cell.box
    crop = crop_cell(field, cell, side=200)
    assert crop.shape == (200, 200, 3)
    rows, columns = np.nonzero(crop.any(axis=2))
    assert abs(rows.min() + rows.max() - 199) <= 1
    assert abs(columns.min() + columns.max() - 199) <= 1
    assert np.count_nonzero(crop.any(axis=2)) == cell.area
    assert np.array_equal(
        crop[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1][cell.mask],
        field[ymin:ymax, xmin:xmax][cell.mask],
    )
    whole = crop_cell(field, cell, side=100, masked=False)
    assert whole.any(axis=2).all()
    assert crop_cell(field, cell).shape[0] == int(np.ceil(2.1 * max(xmax - xmin, ymax - ymin)))


@pytest.mark.parametrize("masked", [True, False])
def test_crop_goes_on_in_black_beyond_the_field(masked: bool) -> None:
    field = drawn_field()
    (cell,) = (cell for cell in find_white_cells(field) if cell.box[1] == 0)
    crop = crop_cell(field, cell, side=120, masked=masked)
    assert not crop[: 60 - cell.box[3] // 2 - 1].any()
    assert crop.any()


def test_crop_of_another_field_is_refused() -> None:
    cell = WhiteCell((90, 10, 130, 50), np.ones((40, 40), np.bool_), 1.0)
    with pytest.raises(BlastscopeError, match="inside its field of 100 x 60"):
        crop_cell(np.zeros((60, 100, 3), np.uint8), cell)
    with pytest.raises(BlastscopeError, match="side is 1 pixel"):
        crop_cell(np.zeros((60, 200, 3), np.uint8), cell, side=0)


def test_drawing_changes_nothing_but_a_copy() -> None:
    field = drawn_field()
    before = field.copy()
    cells = find_white_cells(field)
    drawing = draw_cells(field, cells)
    assert np.array_equal(field, before)
    assert drawing.shape == field.shape
    xmin, ymin, xmax, _ = cells[0].box
    assert (drawing[ymin, xmin : xmax - 1] != field[ymin, xmin : xmax - 1]).any(axis=1).all()
    assert draw_cells(field[:240, :320], []).shape == (480, 640, 3), "small fields are enlarged"


def test_real_fields_have_their_cells(shared: Path) -> None:
    """Every all4 field shows white cells; its classes differ in colour and density."""
    for folder in sorted((shared / "data" / "all4" / "Original").iterdir()):
        for path in sorted(folder.iterdir())[:400:40]:
            cells = find_white_cells(read_image(path))
            assert 1 <= len(cells) <= 60, path


def test_dark_blue_red_cells_are_no_white_cells(shared: Path) -> None:
    """A field with two white cells, whose stain leaves red cells blue on yellowish glass."""
    folder = shared / "data" / "all4" / "Original" / "Pre"
    assert len(find_white_cells(read_image(folder / "WBC-Malignant-Pre-058.jpg"))) == 2


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    folder = tmp_path / "fields"
    (folder / "deep").mkdir(parents=True)
    for path in (folder / "a.png", folder / "deep" / "a.png", folder / "deep" / "none.png"):
        field = drawn_field(() if path.stem == "none" else WHITE)
        cv2.imwrite(str(path), cv2.cvtColor(field, cv2.COLOR_RGB2BGR))
    return folder


def test_command_prints_a_line_per_image(blastscope: Command, fields: Path) -> None:
    done = blastscope("cells", fields, "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [
        str(fields / name) for name in ("a.png", "deep/a.png", "deep/none.png")
    ]
    assert all(list(row) == ["path", "cells"] for row in rows)
    assert [len(row["cells"]) for row in rows] == [3, 3, 0]
    for cell in rows[0]["cells"]:
        assert list(cell) == ["box", "area", "score"]
        xmin, ymin, xmax, ymax = cell["box"]
        assert 0 < cell["area"] <= (xmax - xmin) * (ymax - ymin)
    plain = blastscope("cells", fields)
    assert [line.split(maxsplit=1)[1] for line in plain.stdout.splitlines()] == [
        "3 white cells",
        "3 white cells",
        "0 white cells",
    ]
    assert "not a medical device" in plain.stderr


def test_command_draws_and_crops_without_writing_over_namesakes(
    blastscope: Command, fields: Path, tmp_path: Path
) -> None:
    draw, crops = tmp_path / "new" / "drawings", tmp_path / "crops"
    done = blastscope("cells", fields, "--draw", draw, "--crops", crops, "--json")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in draw.iterdir()) == ["a-2.png", "a.png", "none.png"]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["drawing"]).name for row in rows] == ["a.png", "a-2.png", "none.png"]
    written = [cell["crop"] for row in rows for cell in row["cells"]]
    assert sorted(written) == sorted(str(path) for path in crops.iterdir())
    assert len(written) == 6
    assert read_image(written[0]).any()
    drawing, field = read_image(draw / "a.png"), read_image(fields / "a.png")
    xmin, ymin, xmax, ymax = rows[0]["cells"][0]["box"]
    changed = (drawing != field).any(axis=2)
    assert changed[ymin:ymax, xmin:xmax].any()
    assert np.array_equal(read_image(draw / "none.png"), read_image(fields / "deep" / "none.png"))


def test_command_classifies_each_cell(blastscope: Command, fields: Path, tiny_model: Path) -> None:
    done = blastscope("cells", fields, "--model", tiny_model, "--json")
    assert done.returncode == 0, done.stderr
    for row in map(json.loads, done.stdout.splitlines()):
        assert tuple(row["counts"]) == LABELS
        assert sum(row["counts"].values()) == len(row["cells"])
        for cell in row["cells"]:
            assert cell["label"] == max(cell["scores"], key=cell["scores"].__getitem__)
    plain = blastscope("cells", fields / "a.png", "--model", tiny_model)
    assert all(label in plain.stdout for label in LABELS)


def test_command_goes_on_after_an_image_that_cannot_be_read(
    blastscope: Command, fields: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("text")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = blastscope("cells", broken, empty, fields / "a.png", tmp_path / "absent.png", "--json")
    assert done.returncode == 2
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(row) for row in rows] == [
        {"path", "error"},
        {"path", "error"},
        {"path", "cells"},
        {"path", "error"},
    ]
    assert "3 of 4 images" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--red-cell-diameter", "0"], "x>=6.0"),
        (["--red-cell-diameter", "nan"], "diameter is 6 pixels or more"),
        (["--model", "absent.tflite"], "absent.tflite"),
        (["--draw", "a.file"], "must be writable"),
    ],
)
def test_command_refuses_bad_options(
    blastscope: Command, fields: Path, words: list[str], said: str
) -> None:
    (fields / "a.file").write_text("in the way")
    done = blastscope("cells", "a.png", *words, cwd=fields)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
