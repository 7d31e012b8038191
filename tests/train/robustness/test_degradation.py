"""Degradations: what each does to pixels, and that it grows with severity."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.smear import render_field
from train.robustness.catalogue import DEGRADATIONS
from train.robustness.degradation import SEVERITIES, Degradation, degrade
from train.robustness.exposure import over_exposure, under_exposure
from train.robustness.geometry import rotation, scale
from train.robustness.light import from_light, to_light
from train.robustness.optics import defocus, motion_blur, vignetting
from train.robustness.sensor import colour_cast, jpeg, sensor_noise

ALL = pytest.mark.parametrize("degradation", DEGRADATIONS, ids=lambda one: one.name)
RANDOM = (
    "motion blur",
    "dust",
    "sensor noise",
    "colour cast",
    "stain shift",
    "rotation",
    "scale",
)


@pytest.fixture(scope="module")
def fields() -> NDArray[np.uint8]:
    """Four simulated fields, 160 x 160 pixels."""
    return np.stack(
        [
            render_field(label, 5, width=160, height=160)
            for label in ("Benign", "Early", "Pre", "Pro")
        ]
    )


def flat(value: int, side: int = 65) -> NDArray[np.uint8]:
    return np.full((side, side, 3), value, np.uint8)


def chance() -> np.random.Generator:
    return np.random.default_rng(0)


@ALL
def test_seed_decides_and_the_input_stays(
    degradation: Degradation, fields: NDArray[np.uint8]
) -> None:
    before = fields.copy()
    first = degrade(fields, degradation, 3, seed=1)
    assert first.shape == fields.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, degrade(fields, degradation, 3, seed=1))
    assert np.array_equal(fields, before)
    # An image's fate does not hang on how many come after it.
    assert np.array_equal(first[:2], degrade(fields[:2], degradation, 3, seed=1))


@pytest.mark.parametrize(
    "degradation", [one for one in DEGRADATIONS if one.name in RANDOM], ids=lambda one: one.name
)
def test_images_and_seeds_have_chances_of_their_own(
    degradation: Degradation, fields: NDArray[np.uint8]
) -> None:
    same = np.repeat(fields[:1], 8, axis=0)
    degraded = degrade(same, degradation, 3, seed=1)
    assert len(np.unique(degraded.reshape(8, -1), axis=0)) > 1
    assert not np.array_equal(degraded, degrade(same, degradation, 3, seed=2))


@ALL
def test_every_severity_is_further_from_the_original(
    degradation: Degradation, fields: NDArray[np.uint8]
) -> None:
    # Turning and scaling are followed on a slope: on cells, distance says nothing beyond a radius.
    if degradation.nature == "geometry":
        slope = np.linspace(60, 200, 160).astype(np.uint8)
        fields = np.repeat(np.broadcast_to(slope[:, None], (1, 160, 160, 3)), 4, axis=0).copy()
        fields[..., 1] = slope[None, :, None]
    distances = [
        np.abs(degrade(fields, degradation, severity, seed=0).astype(float) - fields).mean()
        for severity in SEVERITIES
    ]
    assert distances[0] > 0.05
    assert np.all(np.diff(distances) > 0), distances


@ALL
def test_parameters_go_one_way_from_intact(degradation: Degradation) -> None:
    steps = np.diff((degradation.intact, *degradation.values))
    assert np.all(steps > 0) or np.all(steps < 0)


def test_light_and_bytes_are_inverse() -> None:
    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(from_light(to_light(every)), every)
    assert to_light(np.array([0, 255], np.uint8)).tolist() == [0.0, 1.0]
    # IEC 61966-2-1: the middle of the byte range is 21 % of the light.
    assert to_light(np.array([128], np.uint8))[0] == pytest.approx(0.2159, abs=1e-4)


@pytest.mark.parametrize("blur", [defocus, motion_blur])
def test_blur_keeps_light_and_spreads_a_point_as_far_as_it_says(blur: object) -> None:
    point = flat(0)
    point[32, 32] = 255
    height = 224.0 / 65.0
    spread = to_light(blur(point, 8.0 * height, chance()))[..., 0]  # type: ignore[operator]
    assert spread.sum() == pytest.approx(1.0, abs=0.15)
    rows, columns = np.nonzero(spread)
    reach = np.hypot(rows - 32, columns - 32).max()
    # A disc of radius 8, and a way of 8 which is 4 to either side.
    assert reach == pytest.approx(8.0 if blur is defocus else 4.0, abs=1.2)
    assert np.array_equal(blur(flat(93), 8.0, chance()), flat(93))  # type: ignore[operator]


def test_vignetting_takes_its_share_in_the_corners_and_nothing_in_the_middle() -> None:
    light = to_light(vignetting(flat(240), 0.5, chance()))
    whole = to_light(flat(240))[0, 0, 0]
    assert light[32, 32, 0] == pytest.approx(whole)
    for corner in (light[0, 0], light[0, -1], light[-1, 0], light[-1, -1]):
        assert corner == pytest.approx(np.full(3, 0.5 * whole), abs=0.004)


def test_a_stop_is_a_factor_of_two_in_light() -> None:
    half = to_light(under_exposure(flat(200), 1.0, chance()))
    assert half == pytest.approx(to_light(flat(200)) / 2, abs=0.003)
    assert np.array_equal(over_exposure(flat(200), 3.0, chance()), flat(255))
    assert to_light(over_exposure(flat(100), 1.0, chance())) == pytest.approx(
        2 * to_light(flat(100)), abs=0.004
    )


def test_sensor_noise_has_the_spread_it_says() -> None:
    light = to_light(sensor_noise(flat(188, 200), 5.0, chance()))
    share = to_light(flat(188))[0, 0, 0]
    electrons, white = 400.0 * share, 400.0
    assert light.mean() == pytest.approx(share, abs=0.003)
    assert light.std() * white == pytest.approx(np.sqrt(electrons + 3.0**2), rel=0.03)


def test_jpeg_leaves_a_flat_image_flat() -> None:
    for quality in (60.0, 8.0):
        result = jpeg(flat(128), quality, chance())
        assert np.ptp(result.reshape(-1, 3), axis=0).tolist() == [0, 0, 0]
        assert np.abs(result.astype(int) - 128).max() <= 2


def test_colour_cast_of_grey_keeps_the_mean_and_has_its_strength() -> None:
    for seed in range(5):
        result = colour_cast(flat(120), 0.25, np.random.default_rng(seed)).astype(float)
        gains = result[0, 0] / 120.0
        assert gains.mean() == pytest.approx(1.0, abs=0.005)
        # Three cosines a third of a turn apart: their squares sum to 1.5.
        assert np.sum((gains - 1) ** 2) == pytest.approx(1.5 * 0.25**2, rel=0.05)


@pytest.mark.parametrize(("change", "value"), [(rotation, 45.0), (scale, 1.75)])
def test_geometry_keeps_the_middle_and_lets_no_border_in(change: object, value: float) -> None:
    image = flat(180)
    image[30:35, 30:35] = (90, 30, 150)
    result = change(image, value, chance())  # type: ignore[operator]
    assert np.abs(result[32, 32].astype(int) - (90, 30, 150)).max() <= 12
    assert np.array_equal(change(flat(77), value, chance()), flat(77))  # type: ignore[operator]


def test_scale_goes_both_ways() -> None:
    image = flat(200)
    image[22:43, 22:43] = 0
    dark = {
        int((scale(image, 1.5, np.random.default_rng(seed))[..., 0] < 100).sum())
        for seed in range(8)
    }
    assert min(dark) == pytest.approx((21 / 1.5) ** 2, rel=0.2)
    assert max(dark) == pytest.approx((21 * 1.5) ** 2, rel=0.1)
