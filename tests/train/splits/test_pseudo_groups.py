"""Pseudo-groups: one stain, one group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from edge.errors import DatasetError
from edge.image_file import read_image
from train.image_set import ImageSet, read_image_set
from train.splits.duplicates import duplicate_groups
from train.splits.grouped import grouped_split
from train.splits.look import ScaleBar, find_scale_bar, measure_look
from train.splits.pseudo_groups import cluster, pseudo_groups
from train.splits.split import random_split

Read = Callable[[Path], ImageSet]


def test_a_stain_is_in_no_two_groups_with_another(stains: Path, read: Read) -> None:
    """Six stains of each class, three of them shared."""
    image_set = read(stains)
    groups = pseudo_groups(image_set)
    assert groups.dtype == np.int64
    assert set(groups) == set(range(12))
    names: dict[int, set[str]] = {}
    for path, group in zip(image_set.paths, groups, strict=True):
        label, number = Path(path).stem.split("-")
        stain = int(number) // 100 + (3 if label == "Pro" else 0)
        names.setdefault(int(group), set()).add(str(stain))
    assert sorted(map(len, names.values())) == [1] * 12
    mixed = [group for group in range(12) if len(set(image_set.targets[groups == group])) == 2]
    assert len(mixed) >= 2, "what two classes share may be one group"


def test_groups_do_not_depend_on_the_size_in_memory(stains: Path) -> None:
    small, large = read_image_set(stains, 32, 32), read_image_set(stains, 224, 224)
    assert np.array_equal(pseudo_groups(small), pseudo_groups(large))


def test_duplicates_are_not_divided(stains: Path, read: Read) -> None:
    image_set = read(stains)
    duplicates = np.arange(len(image_set))
    duplicates[[3, 40, 90]] = 3
    groups = pseudo_groups(image_set, 9, duplicates)
    assert groups[3] == groups[40] == groups[90]


def test_neighbouring_numbers_are_alike() -> None:
    positions = np.random.default_rng(1).permutation(40).astype(float)
    groups = cluster(positions[:, None], np.arange(40), 8)
    means = [positions[groups == group].mean() for group in range(8)]
    assert means in (sorted(means), sorted(means, reverse=True))


def test_more_groups_than_images_are_one_each() -> None:
    groups = cluster(np.arange(5.0)[:, None], np.array([0, 0, 1, 2, 3]), 30)
    assert groups[0] == groups[1]
    assert len(set(groups)) == 4


def test_image_that_is_gone_meanwhile_is_told(stains: Path, tmp_path: Path, read: Read) -> None:
    folder = tmp_path / "copy"
    for path in stains.rglob("*.png"):
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / path.parent.name / path.name).write_bytes(path.read_bytes())
    image_set = read(folder)
    (folder / image_set.paths[5]).unlink()
    with pytest.raises(DatasetError, match="stay as they are"):
        pseudo_groups(image_set)


def test_look_tells_background_from_cells(smears: Path) -> None:
    look = measure_look(read_image(next((smears / "Pro").iterdir())))
    assert look.shape == (15,)
    background, red_cells, nuclei = look[0:3], look[3:6], look[6:9]
    assert background[0] > red_cells[0] > nuclei[0], "by lightness"
    assert nuclei[1] - nuclei[2] > 20, "nuclei are purple"


def test_blank_image_has_a_look() -> None:
    assert measure_look(np.full((50, 80, 3), 255, np.uint8))[0] == 100.0
    assert find_scale_bar(np.full((50, 80, 3), 255, np.uint8)) is ScaleBar.NONE
    assert find_scale_bar(np.zeros((50, 80, 3), np.uint8)) is ScaleBar.NONE


def test_scale_bars_of_the_four_class_set(shared: Path) -> None:
    """As they are to the eye: three styles, and Pro with the small box alone."""
    folder = shared / "data" / "all4" / "Original"
    found = {
        label: {
            find_scale_bar(read_image(path)) for path in sorted((folder / label).iterdir())[::9]
        }
        for label in ("Benign", "Pro")
    }
    assert found["Pro"] == {ScaleBar.SMALL_BOX}
    assert found["Benign"] == {ScaleBar.SMALL_BOX, ScaleBar.RED_TEXT, ScaleBar.LARGE_BOX}


def test_held_out_pseudo_groups_are_of_an_unseen_stain(shared: Path) -> None:
    """Six colour numbers score 96 % where stains are on both sides, and far less where not."""
    image_set = read_image_set(shared / "data" / "all4", 224, 224)
    duplicates = duplicate_groups(image_set.digests, image_set.thumbnails)
    groups = pseudo_groups(image_set, duplicates=duplicates)
    assert groups.max() + 1 == 69
    pixels = [cv2.meanStdDev(image) for image in image_set.images]
    colours = np.array([np.concatenate(both).ravel() for both in pixels])
    drawn = set()
    scores: dict[str, list[float]] = {"random": [], "grouped": []}
    for seed in range(5):
        for kind, function, units in (
            ("random", random_split, duplicates),
            ("grouped", grouped_split, groups),
        ):
            parts = np.array(function(image_set.targets, image_set.labels, units, 0.2, seed))
            drawn.add(parts.tobytes())
            train, test = parts == "train", parts == "test"
            classifier = KNeighborsClassifier(5).fit(colours[train], image_set.targets[train])
            scores[kind].append(classifier.score(colours[test], image_set.targets[test]))
    assert len(drawn) == 10, "each seed draws others"
    assert np.mean(scores["random"]) > 0.95
    assert np.mean(scores["grouped"]) < 0.88
