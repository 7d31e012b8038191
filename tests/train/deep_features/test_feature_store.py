"""Features are kept by the content of each image, and anything wrong with them is mended."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from train.deep_features.feature_store import BLOCK, FeatureStore, features_key

LENGTH = 5


class Counting:
    """Computes features from positions, and counts the images that it was asked for."""

    def __init__(self, digests: list[str]) -> None:
        self.digests = digests
        self.images = 0

    def __call__(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        self.images += len(places)
        return np.array([features_of(self.digests[place]) for place in places], np.float32)


def features_of(digest: str) -> list[float]:
    return [float(byte) for byte in bytes.fromhex(digest)[:LENGTH]]


def digests_of(names: range) -> list[str]:
    return [hashlib.sha256(str(name).encode()).hexdigest() for name in names]


def test_what_is_known_is_not_computed_again(tmp_path: Path) -> None:
    digests = digests_of(range(BLOCK + 10))
    compute = Counting(digests)
    first = FeatureStore(tmp_path, "key", LENGTH).fill(digests, compute)
    assert compute.images == len(digests)
    # Other images, in another order, between those that are known.
    others = [*digests_of(range(1000, 1003)), *reversed(digests)]
    again = Counting(others)
    steps: list[tuple[int, int]] = []
    found = FeatureStore(tmp_path, "key", LENGTH).fill(
        others, again, lambda done, total: steps.append((done, total))
    )
    assert again.images == 3
    assert steps == [(len(others), len(others))]
    assert np.array_equal(found[3:], first[::-1])
    assert np.array_equal(found, np.array([features_of(one) for one in others], np.float32))
    other = Counting(digests)
    FeatureStore(tmp_path, "other key", LENGTH).fill(digests, other)
    assert other.images == len(digests)


@pytest.mark.parametrize("damage", ["cut short", "changed", "text"])
def test_damaged_features_are_computed_anew(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    digests = digests_of(range(2 * BLOCK))
    FeatureStore(tmp_path, "key", LENGTH).fill(digests, Counting(digests))
    file = min((tmp_path / "key").glob("*.npz"))
    content = bytearray(file.read_bytes())
    if damage == "changed":
        place = content.rindex(np.float32(features_of(digests[0])[0]).tobytes())
        content[place] ^= 0xFF
    file.write_bytes(
        {"cut short": content[: len(content) // 2], "text": b"text"}.get(damage, content)
    )
    again = Counting(digests)
    found = FeatureStore(tmp_path, "key", LENGTH).fill(digests, again)
    assert again.images == BLOCK
    assert "damaged" in caplog.text
    assert np.array_equal(found, np.array([features_of(one) for one in digests], np.float32))


def test_without_a_place_to_write_features_are_used_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    digests = digests_of(range(3))
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    for folder in (None, blocked):
        found = FeatureStore(folder, "key", LENGTH).fill(digests, Counting(digests))
        assert len(found) == 3
    assert "cannot be kept" in caplog.text


def test_key_changes_with_what_features_depend_on() -> None:
    facts = ("MobileNetV2", 224, "weights")
    assert features_key(*facts) == features_key(*facts)
    assert features_key(*facts) != features_key("MobileNetV2", 224, "other weights")
    assert features_key(*facts) != features_key("MobileNetV2", 299, "weights")
