"""Splits that come from files: written, read back, and refused where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import LeakageError, SplitError
from train.image_set import ImageSet
from train.splits.checked import make_split, take_split
from train.splits.given import match_split
from train.splits.kinds import Fold
from train.splits.split import Split, read_split, write_split

Read = Callable[[Path], ImageSet]


@pytest.fixture
def saved(cells: Path, tmp_path: Path, read: Read) -> Split:
    """A split by subject that has been on the disk."""
    split = make_split(read(cells), "subject", 0.2, 3)
    write_split(tmp_path / "split.csv", split)
    return read_split(tmp_path / "split.csv")


def test_split_comes_back_as_it_was(saved: Split, cells: Path, read: Read) -> None:
    image_set = read(cells)
    taken = take_split(image_set, saved)
    made = make_split(image_set, "subject", 0.2, 3)
    assert (taken.parts, taken.groups, taken.kind, taken.seed, taken.fold) == (
        made.parts,
        made.groups,
        "subject",
        3,
        None,
    )


def test_fold_survives_the_disk(cells: Path, tmp_path: Path, read: Read) -> None:
    split = make_split(read(cells), "random", 0.2, 0, Fold(2, 5))
    write_split(tmp_path / "fold.csv", split)
    again = read_split(tmp_path / "fold.csv")
    assert again.fold == "2/5"
    assert again.caveat.endswith("; fold 2/5")
    assert again.digest() == split.digest()


def test_files_of_earlier_versions_are_random_splits(tmp_path: Path) -> None:
    (tmp_path / "split.csv").write_text(
        "path,part,group,sha256\na/1.png,train,0,00\na/2.png,test,1,ff\n"
    )
    split = read_split(tmp_path / "split.csv")
    assert (split.kind, split.seed, split.fold) == ("random", None, None)


@pytest.mark.parametrize(
    "row",
    ["a/1.png,training,0,00,random,0,", "a/1.png,train,0,00,patient,0,", "a/1.png,train,0"],
    ids=["part", "kind", "short"],
)
def test_table_of_something_else_is_refused(row: str, tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text(f"path,part,group,sha256,kind,seed,fold\n{row}\n")
    with pytest.raises(SplitError, match="CSV file"):
        read_split(path)


def test_images_may_move_and_take_other_names(saved: Split, cells: Path, read: Read) -> None:
    (cells / "all" / "UID_11_1_0_all.png").rename(cells / "all" / "UID_11_8_8_all.png")
    taken = take_split(read(cells), saved)
    parts = dict(zip(taken.paths, taken.parts, strict=True))
    assert parts["all/UID_11_8_8_all.png"] == parts["all/UID_11_1_1_all.png"]


def test_missing_extra_and_changed_images_are_told_apart(
    saved: Split, cells: Path, read: Read
) -> None:
    folder = cells / "all"
    (folder / "UID_11_1_0_all.png").unlink()
    changed, other = folder / "UID_12_1_0_all.png", folder / "UID_13_1_0_all.png"
    changed.write_bytes(changed.read_bytes() + b"\0")
    (folder / "UID_14_5_5_all.png").write_bytes(other.read_bytes() + b"\0")
    (folder / "UID_14_5_6_all.png").write_bytes(other.read_bytes())
    with pytest.raises(SplitError) as caught:
        match_split(saved, read(cells))
    for told in (
        "1 changed, such as all/UID_12_1_0_all.png",
        "1 missing, such as all/UID_11_1_0_all.png",
        "1 extra, such as all/UID_14_5_5_all.png",
    ):
        assert told in str(caught.value), "and a mere copy needs no line of its own"


def test_content_in_two_parts_is_a_leak(saved: Split, cells: Path, read: Read) -> None:
    index = saved.parts.index("test")
    doubled = replace(
        saved,
        paths=(*saved.paths, "all/again.png"),
        digests=(*saved.digests, saved.digests[index]),
        parts=(*saved.parts, "train"),
        groups=(*saved.groups, 0),
    )
    with pytest.raises(LeakageError, match=r"all/again.png in train, and the same content in test"):
        match_split(doubled, read(cells))


def test_part_without_a_class_is_refused(saved: Split, cells: Path, read: Read) -> None:
    parts = tuple(
        "train" if path.startswith("hem") else part
        for path, part in zip(saved.paths, saved.parts, strict=True)
    )
    with pytest.raises(SplitError, match="none of class hem in validation"):
        match_split(replace(saved, parts=parts), read(cells))
