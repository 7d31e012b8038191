"""The simulated microscope's generator: repeatable, and different in form but not in colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import BlastscopeError, OutputError
from edge.smear import LABELS, MORPHOLOGIES, FieldOptions, render_field, write_dataset

TRAIN, HELD_OUT = 60, 40


@pytest.fixture(scope="module")
def fields() -> tuple[list[NDArray[np.uint8]], NDArray[np.int64], NDArray[np.bool_]]:
    """Fields with their class and whether they are held out; no seed serves twice."""
    per_class = TRAIN + HELD_OUT
    images = [
        render_field(label, 10_000 * index + number)
        for index, label in enumerate(LABELS)
        for number in range(per_class)
    ]
    numbers = np.arange(len(images))
    return images, numbers // per_class, numbers % per_class >= TRAIN


def nearest_neighbour_accuracy(
    features: NDArray[np.float64], classes: NDArray[np.int64], held_out: NDArray[np.bool_]
) -> float:
    """Accuracy of 5 nearest neighbours on standardised features of the held-out fields."""
    known, asked = features[~held_out], features[held_out]
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-9
    known, asked = (known - mean) / deviation, (asked - mean) / deviation
    distances = ((asked[:, None] - known[None]) ** 2).sum(axis=2)
    votes = classes[~held_out][np.argsort(distances, axis=1)[:, :5]]
    answers = np.array([np.bincount(vote, minlength=len(LABELS)).argmax() for vote in votes])
    return float((answers == classes[held_out]).mean())


def colour_features(image: NDArray[np.uint8]) -> list[float]:
    flat = image.reshape(-1, 3).astype(np.float64)
    return [*flat.mean(axis=0), *flat.std(axis=0)]


def nuclei(image: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
    """Equivalent diameter, solidity, texture and surrounding blue of each whole nucleus."""
    light = np.maximum(image.astype(np.float32), 1.0)
    empty = np.percentile(light.reshape(-1, 3), 90, axis=0)
    depth = np.log(np.maximum(empty / light, 1.0))
    green = cv2.GaussianBlur(depth[:, :, 1], (0, 0), 1.0)
    mask = (green > 0.55 * np.percentile(green, 99.5)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    measured = []
    for outline in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        area = cv2.contourArea(outline)
        left, top, width, height = cv2.boundingRect(outline)
        touches = left == 0 or top == 0
        touches |= left + width == image.shape[1] or top + height == image.shape[0]
        if area < 60.0 * (image.shape[0] / 224) ** 2 or touches:
            continue
        inside = np.zeros(mask.shape, np.uint8)
        cv2.drawContours(inside, [outline], -1, 1, -1)
        core = cv2.erode(inside, np.ones((5, 5), np.uint8)) > 0
        around = (cv2.dilate(inside, np.ones((7, 7), np.uint8)) - inside) > 0
        if core.sum() < 12:
            continue
        level = depth[:, :, 1][core]
        measured.append(
            (
                float(np.sqrt(4.0 * area / np.pi)),
                float(area / cv2.contourArea(cv2.convexHull(outline))),
                float(level.std() / level.mean()),
                float(depth[:, :, 0][around].mean() / level.mean()),
            )
        )
    return measured


def morphology_features(image: NDArray[np.uint8]) -> list[float]:
    measured = nuclei(image)
    if not measured:
        return [0.0] * 6
    table = np.array(measured)
    return [float(len(table)), *np.median(table, axis=0), float(table[:, 0].std())]


def test_same_seed_same_bytes_and_other_seed_other_bytes() -> None:
    first = render_field("Pre", 5)
    assert first.tobytes() == render_field("Pre", 5).tobytes()
    assert first.tobytes() != render_field("Pre", 6).tobytes()
    assert first.tobytes() != render_field("Pro", 5).tobytes()


def test_rendering_leaves_the_global_random_state_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    render_field("Early", 1)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("width", "height"), [(224, 224), (640, 480), (480, 640), (128, 128), (301, 77), (16, 16)]
)
@pytest.mark.parametrize("label", LABELS)
def test_any_size(label: str, width: int, height: int) -> None:
    frame = render_field(label, 3, width=width, height=height)
    assert frame.shape == (height, width, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert frame.std() > 1.0


def test_cells_grow_with_the_height() -> None:
    options = FieldOptions(scale_bar=False)

    def diameter(side: int) -> float:
        frames = [
            render_field("Early", s, width=side, height=side, options=options) for s in range(8)
        ]
        return float(np.median([cell[0] for frame in frames for cell in nuclei(frame)]))

    assert diameter(448) / diameter(224) == pytest.approx(2.0, rel=0.12)


def test_a_wider_frame_shows_more_cells() -> None:
    square = sum(len(nuclei(render_field("Pre", s))) for s in range(8))
    wide = sum(len(nuclei(render_field("Pre", s, width=672))) for s in range(8))
    assert wide > 2 * square


@pytest.mark.parametrize("label", ["benign", "", "Unknown"])
def test_unknown_label(label: str) -> None:
    with pytest.raises(BlastscopeError, match=r"Benign, Early, Pre, Pro.*Got: "):
        render_field(label, 1)


def test_seed_and_size_are_checked() -> None:
    with pytest.raises(BlastscopeError, match=r"seed.*Got: -1"):
        render_field("Pre", -1)
    with pytest.raises(BlastscopeError, match=r"width.*Got: 8"):
        render_field("Pre", 1, width=8)
    with pytest.raises(BlastscopeError, match=r"height.*Got: 9000"):
        render_field("Pre", 1, height=9000)


def test_without_white_cells_the_class_leaves_no_trace() -> None:
    options = FieldOptions(white_cells=0.0)
    for seed in range(5):
        frames = {render_field(label, seed, options=options).tobytes() for label in LABELS}
        assert len(frames) == 1


def test_colour_alone_does_not_tell_the_classes(
    fields: tuple[list[NDArray[np.uint8]], NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    images, classes, held_out = fields
    features = np.array([colour_features(image) for image in images])
    assert nearest_neighbour_accuracy(features, classes, held_out) < 0.35


def test_the_corner_of_the_scale_bar_does_not_tell_the_classes(
    fields: tuple[list[NDArray[np.uint8]], NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    images, classes, held_out = fields
    corners = np.array([image[-34:, -48:].reshape(-1) for image in images], np.float64)
    assert nearest_neighbour_accuracy(corners[:, ::7], classes, held_out) < 0.45


def test_morphology_tells_the_classes(
    fields: tuple[list[NDArray[np.uint8]], NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    images, classes, held_out = fields
    colour = np.array([colour_features(image) for image in images])
    morphology = np.array([morphology_features(image) for image in images])
    by_colour = nearest_neighbour_accuracy(colour, classes, held_out)
    by_morphology = nearest_neighbour_accuracy(morphology, classes, held_out)
    assert by_morphology > 0.70
    assert by_morphology > by_colour + 0.30


def test_measured_nuclei_follow_the_table() -> None:
    def diameter(label: str) -> float:
        frames = [render_field(label, seed) for seed in range(12)]
        return float(np.median([cell[0] for frame in frames for cell in nuclei(frame)]))

    assert diameter("Benign") < 0.85 * diameter("Early")
    assert diameter("Benign") < 0.85 * diameter("Pro")


def test_the_table_covers_the_labels() -> None:
    assert tuple(MORPHOLOGIES) == LABELS == ("Benign", "Early", "Pre", "Pro")
    with pytest.raises(TypeError):
        MORPHOLOGIES["Benign"] = MORPHOLOGIES["Pro"]  # type: ignore[index]


def test_options_spoil_a_field_as_they_say() -> None:
    def sharpness(options: FieldOptions) -> float:
        grey = cv2.cvtColor(render_field("Early", 4, options=options), cv2.COLOR_RGB2GRAY)
        return float(cv2.Laplacian(grey, cv2.CV_64F).var())

    sharp = sharpness(FieldOptions(defocus_um=0.15, noise=0.0, scale_bar=False))
    assert sharpness(FieldOptions(defocus_um=1.5, noise=0.0, scale_bar=False)) < 0.1 * sharp
    usual = render_field("Early", 4).mean()
    assert render_field("Early", 4, options=FieldOptions(exposure=0.4)).mean() < 0.5 * usual
    fewer = render_field("Early", 4, options=FieldOptions(red_cells=0.0, white_cells=0.0))
    assert fewer.mean() > usual


def test_the_scale_bar_stays_in_its_corner() -> None:
    for seed in range(6):
        plain = render_field("Pro", seed, options=FieldOptions(scale_bar=False)).astype(int)
        barred = render_field("Pro", seed, options=FieldOptions(scale_bar=True)).astype(int)
        rows, columns = np.nonzero(np.abs(plain - barred).max(axis=2))
        assert rows.size > 0
        assert rows.min() >= 190
        assert columns.min() >= 180


def test_write_dataset(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    files = write_dataset(
        tmp_path / "a", 3, 9, size=64, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(number, 12) for number in range(1, 13)]
    assert files[0] == tmp_path / "a" / "Benign" / "Benign-0001.png"
    assert files[-1] == tmp_path / "a" / "Pro" / "Pro-0003.png"
    assert sorted(files) == sorted((tmp_path / "a").rglob("*.*"))
    again = write_dataset(tmp_path / "b", 3, 9, size=64)
    other = write_dataset(tmp_path / "c", 3, 10, size=64)
    contents = [file.read_bytes() for file in files]
    assert contents == [file.read_bytes() for file in again]
    assert len({*contents, *(file.read_bytes() for file in other)}) == 24


def test_files_hold_the_colours_in_the_right_order(tmp_path: Path) -> None:
    for file in write_dataset(tmp_path, 1, 2, size=96):
        pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
        assert pixels is not None
        blue, green, _ = pixels.reshape(-1, 3).mean(axis=0)
        assert pixels.shape == (96, 96, 3)
        assert blue > green  # nuclei are purple, so green is the darkest but for red


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_dataset(tmp_path, 1, 1, size=32)
    with pytest.raises(OutputError, match="must not exist yet"):
        write_dataset(tmp_path, 1, 1, size=32)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"file"):
        write_dataset(tmp_path / "file", 1, 1, size=32)


def test_dataset_checks_its_seed_before_writing(tmp_path: Path) -> None:
    with pytest.raises(BlastscopeError, match="seed"):
        write_dataset(tmp_path / "new", 1, -1)
    assert not (tmp_path / "new").exists()
