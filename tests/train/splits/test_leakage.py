"""Each leak, planted and found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import LeakageError, SplitError
from train.balance.blends import draw_blends
from train.image_set import ImageSet
from train.splits.checked import make_split, take_split
from train.splits.leakage import check_children, check_leakage
from train.splits.split import Split

Read = Callable[[Path], ImageSet]


def _move(split: Split, path: str, part: str) -> Split:
    """Put one image into a part that its group is not in."""
    index = split.paths.index(path)
    assert split.parts[index] != part
    return replace(split, parts=(*split.parts[:index], part, *split.parts[index + 1 :]))


def _tested(split: Split) -> str:
    """Return a test image that is not alone in its group."""
    return next(
        path
        for path, part, group in zip(split.paths, split.parts, split.groups, strict=True)
        if part == "test" and split.groups.count(group) > 1
    )


def _other(part: str) -> str:
    return "train" if part == "test" else "test"


def _plant(read: Read, folder: Path, name: str, pixels: object) -> tuple[ImageSet, Split]:
    cv2.imwrite(str(folder / name), np.ascontiguousarray(pixels))
    image_set = read(folder)
    return image_set, make_split(image_set, "random", 0.2, 0)


def test_subject_that_crosses_is_found(cells: Path, read: Read) -> None:
    image_set = read(cells)
    split = make_split(image_set, "subject", 0.2, 0)
    path = "hem/UID_h1_2_0_hem.png"
    crossing = _move(split, path, _other(split.parts[split.paths.index(path)]))
    with pytest.raises(
        LeakageError, match=r"A subject is in one part only.*1 that cross.*UID_h1_2_0"
    ):
        check_leakage(crossing, image_set)
    check_leakage(replace(crossing, kind="random"), image_set)


def test_merged_subjects_that_cross_are_found(cells: Path, read: Read) -> None:
    """Two ids turn out to share a file: they are one subject, who is in two parts."""
    image_set = read(cells)
    split = make_split(image_set, "subject", 0.2, 0)
    sick = [(p, part) for p, part in zip(split.paths, split.parts, strict=True) if "all/" in p]
    tested = next(path for path, part in sick if part == "test")
    trained = next(path for path, part in sick if part == "train")
    copy = trained.replace("_1_0_", "_77_0_")
    (cells / copy).write_bytes((cells / tested).read_bytes())
    again = read(cells)
    parts = {**dict(zip(split.paths, split.parts, strict=True)), copy: "test"}
    given = replace(
        split,
        paths=again.paths,
        digests=again.digests,
        parts=tuple(parts[path] for path in again.paths),
        groups=(0,) * len(again),
    )
    with pytest.raises(LeakageError, match="A subject is in one part only"):
        check_leakage(given, again)


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: cv2.imdecode(cv2.imencode(".jpg", pixels, (1, 60))[1], 1),
        lambda pixels: pixels[:, ::-1],
        lambda pixels: np.rot90(pixels),
        lambda pixels: np.rot90((pixels * 0.8).astype(np.uint8)),
    ],
    ids=["compressed", "mirrored", "turned", "turned and darkened"],
)
def test_copy_that_crosses_is_found(
    change: Callable[[object], object], cells: Path, read: Read
) -> None:
    pixels = cv2.imread(str(cells / "all" / "UID_12_1_3_all.png"))
    image_set, split = _plant(read, cells, "all/UID_12_9_9_all.png", change(pixels))
    check_leakage(split, image_set)
    part = split.parts[split.paths.index("all/UID_12_9_9_all.png")]
    crossing = _move(split, "all/UID_12_9_9_all.png", _other(part))
    with pytest.raises(LeakageError, match=r"mirrored or turned copy.*UID_12_1_3.*UID_12_9_9"):
        check_leakage(crossing, image_set)


def test_pseudo_group_that_crosses_is_found(stains: Path, read: Read) -> None:
    image_set = read(stains)
    split = make_split(image_set, "grouped", 0.2, 0)
    check_leakage(split, image_set)
    crossing = _move(split, _tested(split), "train")
    with pytest.raises(LeakageError, match="A pseudo-group"):
        check_leakage(crossing, image_set)


def test_group_column_of_a_file_is_not_trusted(stains: Path, read: Read) -> None:
    image_set = read(stains)
    split = make_split(image_set, "grouped", 0.2, 0)
    crossing = replace(_move(split, _tested(split), "train"), groups=tuple(range(len(image_set))))
    with pytest.raises(LeakageError, match="A pseudo-group"):
        take_split(image_set, crossing)


def test_children_of_training_images_are_let_through() -> None:
    check_children(np.array([[0, 1], [1, 1]]), ("train", "train", "test"))
    check_children(np.empty((0, 2), np.int64), ("train", "test"))


@pytest.mark.parametrize(
    ("parents", "named"), [([[0, 1], [1, 2]], "test, train"), ([[3, 3]], "validation")]
)
def test_child_of_another_part_is_found(parents: list[list[int]], named: str) -> None:
    parts = ("train", "train", "test", "validation")
    with pytest.raises(LeakageError, match=rf"1 of {len(parents)} that are not.*: {named}"):
        check_children(np.array(parents), parts)


def test_smote_over_the_whole_set_is_found(cells: Path, read: Read) -> None:
    """The usual slip: to balance first and to divide then."""
    image_set = read(cells)
    split = make_split(image_set, "random", 0.2, 0)
    vectors = image_set.images.reshape(len(image_set), -1).astype(np.float32)
    # Without some of one class, so that there is something to balance.
    everything = np.arange(8, len(image_set))
    blends = draw_blends(vectors[everything], image_set.targets[everything], 0)
    assert len(blends) > 0
    with pytest.raises(LeakageError, match="training images only"):
        check_children(everything[blends.parents], split.parts)
    train_part = split.indices("train")[8:]
    blends = draw_blends(vectors[train_part], image_set.targets[train_part], 0)
    assert len(blends) > 0
    check_children(train_part[blends.parents], split.parts)


def test_image_in_two_classes_is_refused_first(cells: Path, read: Read) -> None:
    pixels = cv2.imread(str(cells / "all" / "UID_12_1_3_all.png"))
    with pytest.raises(SplitError, match="one class only"):
        _plant(read, cells, "hem/UID_H2_9_9_hem.png", pixels[:, ::-1])
