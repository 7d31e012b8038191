"""The ways to balance a training part."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import SplitError
from train.balance.balancing import balance_part
from train.balance.methods import BALANCES, SYNTHETIC, check_classes, class_weights

TARGETS = np.repeat([0, 1], [6, 14]).astype(np.int64)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


@pytest.mark.parametrize("balance", BALANCES)
def test_each_way_does_what_its_name_says(balance: str, images: np.ndarray) -> None:
    found = balance_part(balance, images, TARGETS, None, 0)  # type: ignore[arg-type]
    assert (found.blends is not None) == (balance in SYNTHETIC)
    assert (found.class_weights is not None) == (balance == "class-weights")
    if found.blends is not None and balance != "adasyn":
        assert len(found.blends) == 8


def test_features_decide_the_neighbours(images: np.ndarray) -> None:
    """By these features images 0 to 2 and 3 to 5 are far from one another."""
    features = np.zeros((20, 2), np.float32)
    features[:, 0] = np.arange(20) * 0.01
    features[3:6, 1] = 1000.0
    found = balance_part("smote-features", images, TARGETS, features, 0).blends
    assert found is not None
    by_pixels = balance_part("smote", images, TARGETS, features, 0).blends
    assert by_pixels is not None
    assert not np.array_equal(found.parents, by_pixels.parents)


def test_weights_make_the_classes_count_the_same() -> None:
    weights = class_weights(TARGETS)
    assert weights[0] * 6 == pytest.approx(weights[1] * 14)
    assert weights[0] * 6 + weights[1] * 14 == pytest.approx(20)


def test_class_without_neighbours_is_named() -> None:
    check_classes(np.array([0, 0, 1, 1]), ("a", "b"))
    with pytest.raises(SplitError, match="1 of class b"):
        check_classes(np.array([0, 0, 1]), ("a", "b"))
