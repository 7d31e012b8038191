"""The laboratory shift and the stain space that it rests on."""

from __future__ import annotations

import numpy as np
import pytest

from edge.smear import render_field
from train.robustness import laboratory_shift
from train.robustness.laboratory_shift import shift_laboratory, turn_hue
from train.robustness.stain_space import RGB_FROM_STAINS, from_stains, to_stains


def test_ranges_stay_as_they_were_fixed() -> None:
    # Figures in the documents rest on these: another range is another test.
    assert laboratory_shift.STAIN_FACTOR == (0.7, 1.3)
    assert laboratory_shift.STAIN_OFFSET == (-0.05, 0.05)
    assert laboratory_shift.HUE_DEGREES == (-18.0, 18.0)
    assert laboratory_shift.SATURATION_FACTOR == (0.7, 1.3)
    assert laboratory_shift.CHANNEL_GAIN == (0.92, 1.08)
    assert laboratory_shift.BRIGHTNESS_GAIN == (0.85, 1.15)


def test_stain_space_is_inverse_and_names_its_stains() -> None:
    image = render_field("Pre", 3, width=64, height=64)
    assert from_stains(to_stains(image)) == pytest.approx(image.astype(float), abs=1e-9)
    for index in range(3):
        amounts = np.zeros(3)
        amounts[index] = 0.8
        colour = from_stains(amounts)
        assert -np.log((colour + 1) / 256) == pytest.approx(0.8 * RGB_FROM_STAINS[index])


def test_turning_hue_keeps_lightness_and_grey() -> None:
    image = np.array([[[180.0, 120.0, 160.0], [128.0, 128.0, 128.0]]])
    # OpenCV's way to CIELAB and back interpolates in tables.
    exact = 0.6
    assert turn_hue(image, 0.0, 1.0) == pytest.approx(image, abs=exact)
    assert turn_hue(image, 15.0, 1.3)[0, 1] == pytest.approx(image[0, 1], abs=exact)
    assert np.ptp(turn_hue(image, 15.0, 0.0)[0, 0]) < exact
    turned = turn_hue(image, 15.0, 1.2)
    assert np.abs(turned - image)[0, 0].max() > 5
    assert turn_hue(turned, -15.0, 1 / 1.2) == pytest.approx(image, abs=2 * exact)


def test_each_image_has_a_laboratory_of_its_own_by_seed_and_position() -> None:
    images = np.repeat(render_field("Early", 1, width=64, height=64)[None], 6, axis=0)
    shifted = shift_laboratory(images, 0)
    assert shifted.shape == images.shape
    assert shifted.dtype == np.uint8
    assert len(np.unique(shifted.reshape(6, -1), axis=0)) == 6
    assert np.array_equal(shifted, shift_laboratory(images, 0))
    assert np.array_equal(shifted[:3], shift_laboratory(images[:3], 0))
    assert not np.array_equal(shifted, shift_laboratory(images, 1))


def test_the_shift_is_strong_and_keeps_shapes() -> None:
    image = render_field("Pro", 2)
    shifted = shift_laboratory(np.repeat(image[None], 16, axis=0), 0).astype(float)
    moved = np.abs(shifted.mean(axis=(1, 2)) - image.mean(axis=(0, 1)))
    assert moved.max(axis=1).mean() > 10
    grey = image.mean(axis=2).ravel()
    correlations = [np.corrcoef(grey, one.mean(axis=2).ravel())[0, 1] for one in shifted]
    assert min(correlations) > 0.8
