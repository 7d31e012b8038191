"""Duplicates and splits: nothing that is the same may stand on both sides."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SplitError
from edge.smear import render_field
from train.image_set import ImageSet, read_image_set
from train.splits.duplicates import duplicate_groups
from train.splits.grouped import grouped_split
from train.splits.split import (
    PARTS,
    Split,
    check_label_conflicts,
    random_split,
    read_split,
    write_split,
)


def divide(image_set: ImageSet, seed: int, test_fraction: float = 0.2) -> tuple[str, ...]:
    groups = duplicate_groups(image_set.digests, image_set.thumbnails)
    return random_split(image_set.targets, image_set.labels, groups, test_fraction, seed)


@pytest.fixture
def planted(smears: Path, tmp_path: Path) -> Path:
    """Smears among which some have a copy, and some a copy as another JPEG would be."""
    folder = tmp_path / "planted"
    shutil.copytree(smears, folder)
    for label in ("Benign", "Pro"):
        images = sorted((folder / label).iterdir())
        shutil.copy(images[0], folder / label / "copy.png")
        for number, path in enumerate(images[1:6]):
            pixels = cv2.imread(str(path))
            cv2.imwrite(
                str(folder / label / f"near-{number}.jpg"), pixels, (cv2.IMWRITE_JPEG_QUALITY, 60)
            )
    return folder


def test_planted_duplicates_are_found_and_nothing_else(smears: Path, planted: Path) -> None:
    clean = read_image_set(smears, 32, 32)
    assert len(set(duplicate_groups(clean.digests, clean.thumbnails))) == len(clean)
    image_set = read_image_set(planted, 32, 32)
    groups = dict(
        zip(image_set.paths, duplicate_groups(image_set.digests, image_set.thumbnails), strict=True)
    )
    assert len(set(groups.values())) == len(image_set) - 12
    for label in ("Benign", "Pro"):
        originals = sorted(p for p in groups if p.startswith(f"{label}/{label}"))
        assert groups[f"{label}/copy.png"] == groups[originals[0]]
        for number in range(5):
            assert groups[f"{label}/near-{number}.jpg"] == groups[originals[1 + number]]


@pytest.mark.parametrize("seed", range(20))
def test_no_duplicate_crosses(planted: Path, seed: int) -> None:
    image_set = read_image_set(planted, 32, 32)
    groups = duplicate_groups(image_set.digests, image_set.thumbnails)
    parts = np.array(divide(image_set, seed))
    for group in np.unique(groups):
        assert len(set(parts[groups == group])) == 1


def test_near_duplicates_are_found_across_blocks() -> None:
    """More images than one block of the comparison, with a double far away."""
    generator = np.random.default_rng(0)
    thumbnails = generator.integers(0, 256, (2500, 32, 32), np.uint8)
    thumbnails[2400] = np.clip(thumbnails[3].astype(int) + 9, 0, 255)
    groups = duplicate_groups([str(number) for number in range(2500)], thumbnails)
    assert groups[2400] == groups[3]
    assert len(set(groups)) == 2499


def test_blank_images_are_no_duplicates_of_anything() -> None:
    thumbnails = np.zeros((3, 32, 32), np.uint8)
    thumbnails[1] = 255
    assert len(set(duplicate_groups(["a", "b", "c"], thumbnails))) == 3


def test_split_is_stratified_and_of_the_asked_size() -> None:
    targets = np.repeat([0, 1, 2], [100, 300, 600]).astype(np.int64)
    groups = np.arange(1000, dtype=np.int64)
    parts = np.array(random_split(targets, ("a", "b", "c"), groups, 0.2, 0))
    for target, count in enumerate((100, 300, 600)):
        inside = parts[targets == target]
        assert (inside == "test").sum() == count * 0.2
        assert (inside == "validation").sum() == pytest.approx(count * 0.08, abs=1)


def test_seed_decides_the_split() -> None:
    targets = np.repeat([0, 1], 50).astype(np.int64)
    groups = np.arange(100, dtype=np.int64)
    splits = [random_split(targets, ("a", "b"), groups, 0.2, seed) for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


@pytest.mark.parametrize("count", [3, 4, 5, 9])
@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5, 0.7, 0.89])
def test_small_class_is_in_every_part(count: int, fraction: float) -> None:
    targets = np.repeat([0, 1], [count, 50]).astype(np.int64)
    for seed in range(10):
        parts = random_split(targets, ("rare", "usual"), np.arange(count + 50), fraction, seed)
        assert set(parts[:count]) == set(PARTS)


@pytest.mark.parametrize("count", [1, 2])
def test_class_too_small_for_three_parts_is_refused(count: int) -> None:
    targets = np.repeat([0, 1], [count, 50]).astype(np.int64)
    with pytest.raises(SplitError, match=f"Got: {count} in class rare"):
        random_split(targets, ("rare", "usual"), np.arange(count + 50), 0.2, 0)


def test_class_of_doubles_alone_is_refused() -> None:
    targets = np.repeat([0, 1], [50, 50]).astype(np.int64)
    groups = np.concatenate([np.zeros(50), np.arange(1, 51)]).astype(np.int64)
    with pytest.raises(SplitError, match="Got: 1 in class same"):
        random_split(targets, ("same", "usual"), groups, 0.2, 0)


def test_image_in_two_classes_is_refused(smears: Path, tmp_path: Path) -> None:
    folder = tmp_path / "conflict"
    shutil.copytree(smears, folder)
    shutil.copy(next((folder / "Pro").iterdir()), folder / "Benign" / "same.png")
    image_set = read_image_set(folder, 32, 32)
    groups = duplicate_groups(image_set.digests, image_set.thumbnails)
    with pytest.raises(SplitError, match=r"one class only.*Benign/same.png = Pro/Pro-"):
        check_label_conflicts(groups, image_set.targets, image_set.paths)


def test_fraction_of_nothing_leaves_training_and_validation() -> None:
    targets = np.repeat([0, 1], 50).astype(np.int64)
    parts = random_split(targets, ("a", "b"), np.arange(100), 0.0, 0)
    assert (parts.count("train"), parts.count("validation"), parts.count("test")) == (90, 10, 0)
    whole = grouped_split(targets, ("a", "b"), np.arange(100) // 2, 0.0, 0)
    assert set(whole) == {"train", "validation"}


@pytest.mark.parametrize("fraction", [-0.1, 0.9, 1.0, float("nan")])
def test_fraction_out_of_range_is_refused(fraction: float) -> None:
    targets = np.repeat([0, 1], 50).astype(np.int64)
    with pytest.raises(SplitError, match="test fraction"):
        random_split(targets, ("a", "b"), np.arange(100), fraction, 0)


def test_split_survives_the_disk(tmp_path: Path) -> None:
    split = Split(("a/1,2.png", 'b/"x".png'), ("00", "ff"), ("train", "test"), (0, 7))
    write_split(tmp_path / "split.csv", split)
    again = read_split(tmp_path / "split.csv")
    assert (again.paths, again.digests, again.parts, again.groups) == (
        split.paths,
        split.digests,
        split.parts,
        split.groups,
    )
    assert again.digest() == split.digest()
    assert again.indices("test").tolist() == [1]


@pytest.mark.parametrize("content", ["", "path,part\na,b\n", "path,part,group,sha256\na,b,c,d\n"])
def test_damaged_split_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(content)
    with pytest.raises(SplitError, match="columns path, part, group and sha256"):
        read_split(path)
    with pytest.raises(SplitError):
        read_split(tmp_path / "absent.csv")


def test_simulated_fields_are_all_different() -> None:
    """The generator gives no two fields that the search would take for one."""
    fields = [render_field("Pre", seed) for seed in range(40)]
    thumbnails = np.stack(
        [cv2.resize(field[:, :, 1], (32, 32), interpolation=cv2.INTER_AREA) for field in fields]
    )
    assert len(set(duplicate_groups([str(n) for n in range(40)], thumbnails))) == 40
