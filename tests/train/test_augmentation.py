"""Augmentation: it changes images in training, and only in the ways it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from train.augmentation import RandomStain, RandomTurn


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3)).astype(np.float32)


def run(layer: keras.layers.Layer, images: np.ndarray, training: bool) -> np.ndarray:
    return keras.ops.convert_to_numpy(layer(images, training=training))


def test_turns_are_the_eight_orientations_and_all_occur(images: np.ndarray) -> None:
    turned = run(RandomTurn(seed=1), images, training=True)
    seen = set()
    for before, after in zip(images, turned, strict=True):
        orientations = [
            np.rot90(flipped, turns) for flipped in (before, before[::-1]) for turns in range(4)
        ]
        matches = [n for n, one in enumerate(orientations) if np.array_equal(one, after)]
        assert matches
        seen.update(matches)
    assert len(seen) == 8


def test_stain_changes_each_image_its_own_way_and_keeps_the_range(images: np.ndarray) -> None:
    stained = run(RandomStain(seed=1), images, training=True)
    assert stained.min() >= 0.0
    assert stained.max() <= 255.0
    changes = (stained - images).mean(axis=(1, 2))
    assert len({tuple(np.round(change, 3)) for change in changes}) == len(images)
    order = np.argsort(images[:, :, :, 0].reshape(len(images), -1), axis=1)
    channel = np.take_along_axis(stained[:, :, :, 0].reshape(len(images), -1), order, axis=1)
    assert (np.diff(channel, axis=1) >= -1e-3).all(), "darker stays darker"


def test_no_strength_is_no_change(images: np.ndarray) -> None:
    same = run(RandomStain(strength=0.0, shift=0.0), images, training=True)
    assert np.abs(same - images).max() < 0.01


@pytest.mark.parametrize("layer", [RandomTurn(), RandomStain()])
def test_nothing_happens_outside_training(layer: keras.layers.Layer, images: np.ndarray) -> None:
    assert np.array_equal(run(layer, images, training=False), images)


@pytest.mark.parametrize("layer", [RandomTurn(seed=4), RandomStain(0.1, 0.2, seed=5)])
def test_layers_can_be_rebuilt_from_their_config(layer: keras.layers.Layer) -> None:
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
