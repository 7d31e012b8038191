"""The corner with the burned-in scale bar, blanked and swapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from edge.errors import DatasetError
from train.image_set import read_image_set
from train.robustness.scale_bar import blank_corner, corner_size, swap_corner


def _noise(n: int, side: int = 56) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), np.uint8)


def _outside(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    high, wide = corner_size(*images.shape[1:3])
    kept = np.ones(images.shape[1:3], bool)
    kept[-high:, -wide:] = False
    return images[:, kept]


def test_corner_is_the_one_that_the_set_names() -> None:
    assert corner_size(224, 224) == (34, 48)
    assert corner_size(128, 128) == (20, 28)


def test_blanking_reads_nothing_of_the_corner_and_touches_nothing_else() -> None:
    images = _noise(3)
    blanked = blank_corner(images)
    assert np.array_equal(_outside(blanked), _outside(images))
    high, wide = corner_size(56, 56)
    other = images.copy()
    other[:, -high:, -wide:] = 255 - other[:, -high:, -wide:]
    assert np.array_equal(blank_corner(other), blanked)
    assert not np.array_equal(blanked[:, -high:, -wide:], images[:, -high:, -wide:])


def test_blanking_runs_on_smoothly() -> None:
    row, column = np.mgrid[0:112, 0:112]
    image = (128 + 60 * np.sin(row / 9.0) * np.cos(column / 11.0)).astype(np.uint8)
    blanked = blank_corner(np.repeat(image[None, ..., None], 3, axis=3))[0, ..., 0].astype(int)
    high, wide = corner_size(112, 112)
    own_step = np.abs(np.diff(image.astype(int), axis=0)).max()
    assert np.abs(blanked[-high, -wide:] - blanked[-high - 1, -wide:]).max() <= own_step
    assert np.abs(blanked[-high:, -wide] - blanked[-high:, -wide - 1]).max() <= own_step


def test_swapping_takes_from_another_class_only() -> None:
    targets = np.repeat([0, 1, 2], 5).astype(np.int64)
    # Each image is filled with its number, so that a corner tells where it comes from.
    images = np.empty((15, 56, 56, 3), np.uint8)
    images[:] = np.arange(15, dtype=np.uint8)[:, None, None, None]
    for seed in range(20):
        swapped = swap_corner(images, targets, seed)
        assert np.array_equal(_outside(swapped), _outside(images))
        donors = swapped[:, -1, -1, 0]
        assert np.all(targets[donors] != targets)
    assert np.array_equal(swap_corner(images, targets, 4), swap_corner(images, targets, 4))
    assert not np.array_equal(swap_corner(images, targets, 4), swap_corner(images, targets, 5))


def test_swapping_takes_two_classes() -> None:
    with pytest.raises(DatasetError, match="two or more"):
        swap_corner(_noise(3), np.zeros(3, np.int64), 0)


def test_a_blanked_corner_tells_no_more_than_one_that_never_had_a_bar(shared: Path) -> None:
    image_set = read_image_set(shared / "data" / "all4", 224, 224)
    images, targets = image_set.images, image_set.targets
    testing = np.random.default_rng(0).permutation(len(targets)) < len(targets) // 5

    def accuracy(corner: NDArray[np.uint8]) -> float:
        # Grey without its mean: stain, which is all over the field, must not help.
        grey = corner.astype(np.float32).mean(axis=3)
        points = (grey - grey.mean(axis=(1, 2), keepdims=True)).reshape(len(corner), -1)
        neighbours = KNeighborsClassifier(5).fit(points[~testing], targets[~testing])
        return float(neighbours.score(points[testing], targets[testing]))

    blanked = blank_corner(images)[:, -34:, -48:]
    elsewhere = accuracy(images[:, -34:, :48])
    commonest = np.bincount(targets).max() / len(targets)
    assert accuracy(images[:, -34:, -48:]) > elsewhere + 0.15
    assert accuracy(blanked) < max(elsewhere, commonest) + 0.03
