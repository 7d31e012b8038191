"""SMOTE: equal classes, between neighbours, and never on bytes."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import SplitError, TrainingError
from train.balance import check_classes, smote_images, smote_vectors


def test_classes_become_equal_and_originals_stay() -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (30, 8, 8, 3), np.uint8)
    targets = np.repeat([0, 1, 2], [5, 10, 15]).astype(np.int64)
    balanced, classes = smote_images(images, targets, 0)
    assert np.bincount(classes).tolist() == [15, 15, 15]
    assert balanced.dtype == np.uint8
    assert np.array_equal(balanced[:30], images)
    assert np.array_equal(classes[:30], targets)


def test_synthetic_images_lie_between_their_parents() -> None:
    """On bytes SMOTE would wrap around: 100 to 110 has become 1 to 254."""
    generator = np.random.default_rng(0)
    images = generator.integers(100, 111, (20, 4, 4, 3), np.uint8)
    targets = np.repeat([0, 1], [6, 14]).astype(np.int64)
    balanced, _ = smote_images(images, targets, 0)
    assert len(balanced) == 28
    assert balanced.min() >= 100
    assert balanced.max() <= 110


def test_bytes_are_refused() -> None:
    with pytest.raises(TrainingError, match="Got: uint8"):
        smote_vectors(np.zeros((4, 3), np.uint8), np.array([0, 0, 0, 1]), 0)  # type: ignore[arg-type]


def test_balanced_classes_stay_as_they_are() -> None:
    vectors = np.eye(4, dtype=np.float32)
    balanced, classes = smote_vectors(vectors, np.array([0, 1, 0, 1]), 0)
    assert np.array_equal(balanced, vectors)
    assert classes.tolist() == [0, 1, 0, 1]


def test_small_classes_are_balanced_and_single_images_refused() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.random((12, 5), np.float32)
    _, classes = smote_vectors(vectors, np.repeat([0, 1], [2, 10]).astype(np.int64), 0)
    assert np.bincount(classes).tolist() == [10, 10]
    with pytest.raises(TrainingError, match="1 of class number 0"):
        smote_vectors(vectors, np.repeat([0, 1], [1, 11]).astype(np.int64), 0)


def test_class_without_neighbours_is_named() -> None:
    check_classes(np.array([0, 0, 1, 1]), ("a", "b"))
    with pytest.raises(SplitError, match="1 of class b"):
        check_classes(np.array([0, 0, 1]), ("a", "b"))


def test_seed_decides_the_synthetic_images() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 3), np.uint8)
    targets = np.repeat([0, 1], [6, 14]).astype(np.int64)
    first, again, other = (smote_images(images, targets, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
