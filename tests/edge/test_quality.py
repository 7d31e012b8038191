"""What each measure of quality answers to, and what it must not answer to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import FrameError, QualityLimitsError
from edge.preprocess import preprocess
from edge.quality import Limit, Quality, QualityLimits, assess, load_limits
from edge.quality.assessment import MEASURES
from edge.quality.instructions import INSTRUCTIONS
from edge.smear import LABELS, FieldOptions, render_field
from edge.smear.optics import burn_scale_bar

SEEDS = range(4)
GOOD = FieldOptions(scale_bar=False, defocus_um=0.2, noise=1.0, stain_variation=0.3)


def field(seed: int, label: str = "Pre", **options: object) -> NDArray[np.uint8]:
    return render_field(label, seed, options=replace(GOOD, **options))  # type: ignore[arg-type]


def moved(image: NDArray[np.uint8], way: int, turn: int = 0) -> NDArray[np.uint8]:
    kernel = np.zeros((way, way), np.float32)
    kernel[way // 2] = 1.0 / way
    return np.asarray(cv2.filter2D(image, -1, np.rot90(kernel, turn).copy()), np.uint8)


def noisy(image: NDArray[np.uint8], deviation: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).normal(0.0, deviation, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def blurred(image: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


@pytest.mark.parametrize("label", LABELS)
def test_sharpness_falls_with_blur(label: str) -> None:
    for seed in SEEDS:
        image = field(seed, label)
        found = [assess(image).sharpness]
        found += [assess(blurred(image, sigma)).sharpness for sigma in (1.0, 1.5, 2.0, 3.0)]
        assert found == sorted(found, reverse=True)
        assert found[0] > 0.8 > 0.6 > found[3]


def test_few_cells_are_not_blur_and_many_are_not_focus() -> None:
    for seed in SEEDS:
        sparse = field(seed, white_cells=0.3, red_cells=0.1)
        dense = field(seed, white_cells=1.5, red_cells=1.5)
        assert assess(sparse).sharpness > 0.8
        assert assess(blurred(dense, 2.0)).sharpness < 0.6


def test_noise_and_compression_are_not_focus() -> None:
    for seed in SEEDS:
        soft = blurred(field(seed), 2.0)
        limit = load_limits().limits["sharpness"].low
        assert limit is not None
        for spoiled in (noisy(soft, 4.0), noisy(soft, 20.0), compressed(soft, 40)):
            assert assess(spoiled).sharpness < limit < assess(field(seed)).sharpness


@pytest.mark.parametrize("turn", [0, 1])
def test_motion_tells_itself_from_defocus(turn: int) -> None:
    for seed in SEEDS:
        image = field(seed)
        assert assess(moved(image, 11, turn)).isotropy < 0.7
        assert assess(image).isotropy > 0.85
        assert assess(blurred(image, 2.0)).isotropy > 0.85


def test_light_is_judged_by_the_glass() -> None:
    limits = load_limits()
    for seed in SEEDS:
        # Without red cells there is more glass, not more light.
        full, bare = assess(field(seed)), assess(field(seed, red_cells=0.1))
        assert abs(full.brightness - bare.brightness) < 6.0
        dark = limits.findings(assess(field(seed, exposure=0.5)))
        assert dark[0].measure == "brightness"
        assert dark[0].instruction.startswith("Too dark")
        bright = limits.findings(assess(field(seed, exposure=1.8)))
        assert "clipped_white" in [finding.measure for finding in bright]


@pytest.mark.parametrize(
    ("gains", "measure", "word"),
    [
        ((0.85, 1.0, 0.85), "green_red", "green"),
        ((1.0, 0.88, 1.0), "green_red", "red"),
        ((0.9, 0.9, 1.0), "blue_yellow", "blue"),
        ((1.0, 1.0, 0.8), "blue_yellow", "yellow"),
    ],
)
def test_cast_is_named_by_its_colour(
    gains: tuple[float, float, float], measure: str, word: str
) -> None:
    cast = (field(1) * np.array(gains)).astype(np.uint8)
    found = {one.measure: one.instruction for one in load_limits().findings(assess(cast))}
    assert f"too {word}" in found[measure]


def test_calibration_frame_says_what_is_no_cast() -> None:
    gains = np.array([1.0, 1.0, 0.85])
    empty = field(2, white_cells=0.0, red_cells=0.0)
    calibration = assess((empty * gains).astype(np.uint8))
    quality = assess((field(1) * gains).astype(np.uint8))
    limits = load_limits()
    assert "blue_yellow" in [one.measure for one in limits.findings(quality)]
    assert "blue_yellow" not in [one.measure for one in limits.findings(quality, calibration)]
    found = {one.measure: one for one in limits.findings(assess(field(1)), calibration)}
    assert "too blue" in found["blue_yellow"].instruction
    assert found["blue_yellow"].value < found["blue_yellow"].limit


@pytest.mark.parametrize("label", LABELS)
def test_field_without_white_cells_is_found(label: str) -> None:
    """Platelets stay; seeds with a smudge cell, a burst white one, are left out."""
    limits = load_limits()
    for seed in range(3):
        empty = limits.findings(assess(field(seed, label, white_cells=0.0)))
        assert "white_cells" in [finding.measure for finding in empty]
        full = limits.findings(assess(field(seed, label)))
        assert "white_cells" not in [finding.measure for finding in full]


def test_cell_size_follows_the_scale() -> None:
    large = [
        assess(render_field("Pre", seed, width=448, height=448)[112:336, 112:336]).cell_size
        for seed in range(8)
    ]
    usual = [assess(render_field("Pre", seed)).cell_size for seed in range(8)]
    assert np.median(large) > 1.5 * np.median(usual)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_to_see_is_found(level: int) -> None:
    image = np.full((224, 224, 3), level, np.uint8)
    quality = assess(image)
    assert (quality.sharpness, quality.isotropy) == (0.0, 1.0)
    assert (quality.white_cells, quality.cell_size) == (0.0, 0.0)
    found = {finding.measure for finding in load_limits().findings(quality)}
    assert {"sharpness", "white_cells", "contrast"} <= found
    assert ("clipped_white" in found) is (level == 255)
    assert ("brightness" in found) is (level < 255)


@pytest.mark.parametrize("direction", [0, 1])
def test_edges_of_one_direction_break_nothing(direction: int) -> None:
    stripes = np.indices((224, 224))[direction] // 16 % 2 * 200
    quality = assess(np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8))
    assert quality.sharpness > 0.9
    assert quality.isotropy == 1.0


@pytest.mark.parametrize("style", [0, 1, 2])
def test_scale_bar_is_left_out(style: int) -> None:
    image = field(3)
    burned = image.copy()
    burn_scale_bar(burned, style)
    assert not np.array_equal(burned, image)
    assert assess(burned) == assess(image)


def test_frame_of_any_size_is_judged_as_the_network_sees_it() -> None:
    frame = render_field("Early", 1, width=640, height=480)
    before = frame.copy()
    assert assess(frame) == assess(preprocess(frame, 224, 224))
    assert np.array_equal(frame, before)
    view = np.ascontiguousarray(preprocess(frame, 224, 224)[:, ::-1])[:, ::-1]
    assert assess(view) == assess(np.ascontiguousarray(view))


def test_measures_are_the_same_bits_on_every_machine() -> None:
    """Of a pattern made in whole numbers: discs of purple and grey on uneven glass."""
    y, x = np.indices((224, 224))
    glass = np.stack([246 - x // 40, 250 - y // 40, 244 + (x + y) // 60], axis=-1)
    for number in range(40):
        row, column, radius = 53 * number % 224, 97 * number % 224, 6 + number % 7
        inside = (y - row) ** 2 + (x - column) ** 2 < radius**2
        glass[inside] = (110, 60, 170) if number % 4 == 0 else (190, 185, 200)
    grain = (x * 7919 + y * 104729) % 5
    quality = assess((glass + grain[..., None]).clip(0, 255).astype(np.uint8))
    assert quality == EXPECTED


EXPECTED = Quality(
    brightness=251.0,
    clipped_black=0.0,
    clipped_white=0.0,
    contrast=189.66,
    green_red=-2.558333333333337,
    blue_yellow=1.3683333333333394,
    sharpness=1.1227719403442538,
    isotropy=0.9659856159959879,
    white_cells=0.03333333333333333,
    cell_size=22.182662290497056,
)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((224, 224), np.uint8),
        np.zeros((224, 224, 4), np.uint8),
        np.zeros((224, 224, 3), np.float32),
        np.zeros((0, 224, 3), np.uint8),
        [[1, 2, 3]],
    ],
)
def test_what_is_no_frame_is_refused(frame: NDArray[np.uint8]) -> None:
    with pytest.raises(FrameError, match="Got:"):
        assess(frame)


def test_every_measure_has_instructions_and_shipped_limits() -> None:
    assert tuple(INSTRUCTIONS) == MEASURES
    limits = load_limits()
    assert tuple(limits.limits) == MEASURES
    assert {"data", "data_sha256", "n", "seed", "loss"} <= set(limits.provenance)


def test_limits_survive_their_file(tmp_path: Path) -> None:
    limits = load_limits()
    path = tmp_path / "limits.json"
    path.write_text(json.dumps(limits.as_json()))
    assert load_limits(path) == limits


def test_finding_tells_value_limit_and_side() -> None:
    limits = QualityLimits({"cell_size": Limit(10.0, 30.0)}, {"green_red": 0, "blue_yellow": 0})
    good = assess(field(1))
    assert limits.findings(replace(good, cell_size=10.0)) == []
    (small,) = limits.findings(replace(good, cell_size=9.0))
    (large,) = limits.findings(replace(good, cell_size=31.0))
    assert (small.value, small.limit, large.value, large.limit) == (9.0, 10.0, 31.0, 30.0)
    assert "too small" in small.instruction
    assert "too large" in large.instruction
    # Without white cells there is no size to complain of.
    assert limits.findings(replace(good, cell_size=0.0)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"limits": {"sharpnes": [1, None]}}, "no measure"),
        ({"limits": {"sharpness": [1]}}, "values to unpack"),
        ({"limits": {"sharpness": 1}}, "not iterable"),
        ({"limits": {"sharpness": ["1", None]}}, "no number"),
        ({"limits": {"sharpness": [True, None]}}, "no number"),
        ({"limits": {"sharpness": [float("nan"), None]}}, "no number"),
        ({"limits": {"sharpness": [2, 1]}}, "empty"),
        ({"limits": {"isotropy": [0.5, 0.9]}}, "highest value of isotropy"),
        ({"limits": []}, "items"),
        ({"typical": {"green_red": 1}}, "blue_yellow"),
        ({"provenance": 3}, "not iterable"),
    ],
)
def test_faulty_limits_are_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "limits.json"
    path.write_text(json.dumps({**load_limits().as_json(), **change}))
    with pytest.raises(QualityLimitsError, match=said) as caught:
        load_limits(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"limits": {}}'])
def test_file_that_holds_no_limits_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "limits.json"
    with pytest.raises(QualityLimitsError):
        load_limits(path)
    path.write_text(text)
    with pytest.raises(QualityLimitsError):
        load_limits(path)
