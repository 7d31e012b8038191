"""Synthetic examples: equal classes, between neighbours, with known parents, and never on bytes."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

from edge.errors import TrainingError
from train.balance.blends import draw_blends
from train.balance.coordinates import pixel_coordinates


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), np.uint8)


TARGETS = np.repeat([0, 1, 2], [5, 10, 15]).astype(np.int64)


def test_classes_become_equal(images: np.ndarray) -> None:
    blends = draw_blends(pixel_coordinates(images), TARGETS, 0)
    assert np.bincount(np.concatenate([TARGETS, blends.targets])).tolist() == [15, 15, 15]
    assert blends.of_images(images).dtype == np.uint8


def test_parents_are_of_the_class_and_the_blend_lies_between_them(images: np.ndarray) -> None:
    blends = draw_blends(pixel_coordinates(images), TARGETS, 0)
    for parents, target, image in zip(
        blends.parents, blends.targets, blends.of_images(images), strict=True
    ):
        assert (TARGETS[parents] == target).all()
        pair = images[parents]
        assert (image >= pair.min(axis=0)).all()
        assert (image <= pair.max(axis=0)).all()
    assert (blends.parents[:, 0] != blends.parents[:, 1]).mean() > 0.9


def test_pixels_are_blended_as_imbalanced_learn_blends_them(images: np.ndarray) -> None:
    """The coordinates and the traced parents give what SMOTE gives on the pixels themselves."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    expected, _ = SMOTE(k_neighbors=4, random_state=3).fit_resample(flat, TARGETS)
    blends = draw_blends(pixel_coordinates(images), TARGETS, 3)
    found = blends.of_images(images).reshape(len(blends), -1)
    assert np.abs(found - expected[len(images) :]).max() <= 0.51


def test_vectors_are_blended_by_the_same_shares(images: np.ndarray) -> None:
    vectors = images.reshape(len(images), -1).astype(np.float32)
    blends = draw_blends(vectors, TARGETS, 0)
    blended = blends.of_images(images).reshape(len(blends), -1)
    assert np.abs(blends.of_vectors(vectors) - blended).max() <= 0.51


def test_bytes_are_refused() -> None:
    """imbalanced-learn would wrap them: 100 to 110 has become 1 to 254."""
    with pytest.raises(TrainingError, match="Got: uint8"):
        draw_blends(np.zeros((4, 3), np.uint8), np.array([0, 0, 0, 1]), 0)  # type: ignore[arg-type]


def test_balanced_classes_get_nothing() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert len(draw_blends(vectors, np.array([0, 1, 0, 1]), 0)) == 0


def test_small_classes_are_balanced_and_single_images_refused() -> None:
    vectors = np.random.default_rng(0).random((12, 5), np.float32)
    blends = draw_blends(vectors, np.repeat([0, 1], [2, 10]).astype(np.int64), 0)
    assert blends.targets.tolist() == [0] * 8
    with pytest.raises(TrainingError, match="1 of class number 0"):
        draw_blends(vectors, np.repeat([0, 1], [1, 11]).astype(np.int64), 0)


def test_seed_decides() -> None:
    vectors = np.random.default_rng(0).random((20, 5), np.float32)
    targets = np.repeat([0, 1], [6, 14]).astype(np.int64)
    first, again, other = (draw_blends(vectors, targets, seed) for seed in (0, 0, 1))
    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)


def test_adasyn_draws_where_classes_meet() -> None:
    """Class 0 lies partly inside class 1 and partly far from it: all its children are inside."""
    generator = np.random.default_rng(0)
    far = generator.normal(100.0, 1.0, (8, 2))
    near = generator.normal(0.0, 1.0, (8, 2))
    other = generator.normal(0.0, 1.0, (40, 2))
    vectors = np.concatenate([far, near, other]).astype(np.float32)
    targets = np.repeat([0, 1], [16, 40]).astype(np.int64)
    blends = draw_blends(vectors, targets, 0, "adasyn")
    assert len(blends) > 0
    assert (blends.parents >= 8).all()


def test_adasyn_leaves_a_class_alone_that_no_other_touches() -> None:
    generator = np.random.default_rng(0)
    vectors = np.concatenate(
        [generator.normal(100.0, 1.0, (8, 2)), generator.normal(0.0, 1.0, (40, 2))]
    ).astype(np.float32)
    targets = np.repeat([0, 1], [8, 40]).astype(np.int64)
    assert len(draw_blends(vectors, targets, 0, "adasyn")) == 0


def test_coordinates_keep_distances(images: np.ndarray) -> None:
    flat = images.reshape(len(images), -1).astype(np.float64)
    found = pixel_coordinates(images).astype(np.float64)
    for first, second in ((0, 1), (3, 29), (7, 7)):
        expected = np.linalg.norm(flat[first] - flat[second])
        assert np.linalg.norm(found[first] - found[second]) == pytest.approx(expected, abs=0.1)
