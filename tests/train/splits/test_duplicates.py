"""Copies of images that were changed before they were put into the set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from train.image_set import ImageSet, read_image_set
from train.splits.duplicates import ORIENTATIONS, duplicate_groups, turn

Read = Callable[[Path], ImageSet]
Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def _tinted(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    hsv = cv2.cvtColor(frame, cv2.COLOR_BGR2HSV)
    hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + 10) % 180
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)


CHANGES: dict[str, Change] = {
    "mirrored": lambda frame: frame[:, ::-1],
    "upside down": lambda frame: frame[::-1],
    "turned by 90": lambda frame: np.rot90(frame),
    "turned by 180": lambda frame: np.rot90(frame, 2),
    "turned by 270 and mirrored": lambda frame: np.rot90(frame, 3)[:, ::-1],
    "darker": lambda frame: (frame * 0.7).astype(np.uint8),
    "tinted": _tinted,
    "tinted and turned": lambda frame: np.rot90(_tinted(frame)),
    "blurred": lambda frame: cv2.GaussianBlur(frame, (0, 0), 2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_augmented_copy_is_found(change: str, smears: Path, tmp_path: Path, read: Read) -> None:
    folder = _plant(smears, tmp_path, CHANGES[change], count=6)
    image_set = read(folder)
    groups = dict(
        zip(image_set.paths, duplicate_groups(image_set.digests, image_set.thumbnails), strict=True)
    )
    originals = [path for path in groups if "copy" not in path]
    assert len({groups[path] for path in originals}) == len(originals), "no others are joined"
    for path, group in groups.items():
        if "copy" in path:
            assert groups[path.replace("copy-", "")] == group


def test_orientations_are_the_eight_of_a_square() -> None:
    square = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    turned = {turn(square, orientation).tobytes() for orientation in range(ORIENTATIONS)}
    assert len(turned) == ORIENTATIONS == 8
    assert np.array_equal(turn(square, 0), square)


def test_small_sets_are_compared_strictly() -> None:
    """With a handful of images there is nothing to learn of what they have in common."""
    generator = np.random.default_rng(0)
    thumbnails = generator.integers(0, 256, (5, 32, 32), np.uint8)
    thumbnails[4] = turn(thumbnails[:1], 5)[0]
    groups = duplicate_groups(list("abcde"), thumbnails)
    assert groups[4] == groups[0]
    assert len(set(groups)) == 4


def test_cells_on_black_are_not_all_the_same(shared: Path) -> None:
    """Discs on black correlate by more than 0.97 in two thousand pairs, classes mixed."""
    image_set = read_image_set(shared / "data" / "cnmc" / "fold_1", 32, 32)
    groups = duplicate_groups(image_set.digests, image_set.thumbnails)
    pairs = _pairs(groups)
    assert len(pairs) == 45
    for one, other in pairs:
        assert image_set.targets[one] == image_set.targets[other]
        subjects = [image_set.paths[index].split("_")[1] for index in (one, other)]
        assert subjects[0] == subjects[1], "fold 1 has no double under another id"


def test_doubles_of_the_four_class_set(shared: Path) -> None:
    image_set = read_image_set(shared / "data" / "all4", 32, 32)
    groups = duplicate_groups(image_set.digests, image_set.thumbnails)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    doubles = [found for found in members if len(found) > 1]
    assert (len(doubles), sum(map(len, doubles))) == (63, 128)
    assert all(len(set(image_set.targets[found])) == 1 for found in doubles)


def _plant(smears: Path, tmp_path: Path, change: Change, count: int) -> Path:
    folder = tmp_path / "planted"
    for path in sorted(smears.rglob("*.png")):
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / path.parent.name / path.name).write_bytes(path.read_bytes())
    for path in sorted((smears / "Pre").iterdir())[:count]:
        changed = np.ascontiguousarray(change(cv2.imread(str(path))))
        cv2.imwrite(str(folder / "Pre" / f"copy-{path.name}"), changed)
    return folder


def _pairs(groups: NDArray[np.int64]) -> list[tuple[int, int]]:
    found = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    return [(int(one[0]), int(other)) for one in found for other in one[1:]]
