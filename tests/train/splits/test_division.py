"""Every kind of division, once, repeated and in folds."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SplitError
from train.image_set import ImageSet, read_image_set
from train.splits.division import Grouping, divide, find_groups, k_folds, repeats
from train.splits.kinds import SPLIT_KINDS, Fold, SplitKind, parse_fold
from train.splits.leakage import check_leakage
from train.splits.split import PARTS, Split
from train.splits.subjects import find_subjects, read_subjects

Read = Callable[[Path], ImageSet]


def _nothing_crosses(split: Split, grouping: Grouping) -> None:
    for groups in (grouping.duplicates, grouping.groups):
        parts: dict[int, set[bool | str]] = {}
        for group, part in zip(groups.tolist(), split.parts, strict=True):
            # Training and validation may share subjects where these are left out of the test part.
            shared = split.kind == "unseen-subjects" and groups is grouping.groups
            parts.setdefault(group, set()).add(part == "test" if shared else part)
        assert all(len(found) == 1 for found in parts.values())


@pytest.mark.parametrize("kind", SPLIT_KINDS)
def test_each_kind_divides_and_repeats(kind: SplitKind, cells: Path, read: Read) -> None:
    image_set = read(cells)
    grouping = find_groups(image_set, kind)
    splits = repeats(image_set, grouping, 4, 0.2, seed=7)
    assert [split.seed for split in splits] == [7, 8, 9, 10]
    # Of so few pseudo-groups, there is but one good division.
    assert kind == "grouped" or len({split.parts for split in splits}) > 1
    for split in splits:
        assert split.kind == kind
        assert kind == "random" or kind in split.caveat
        _nothing_crosses(split, grouping)
        check_leakage(split, image_set)
        for part in PARTS:
            assert set(image_set.targets[split.indices(part)]) == {0, 1}
    assert repeats(image_set, grouping, 1, 0.2, 7)[0].parts == splits[0].parts


@pytest.mark.parametrize(("kind", "folds"), [("random", 5), ("grouped", 3), ("subject", 4)])
def test_folds_test_on_each_image_once(
    kind: SplitKind, folds: int, cells: Path, read: Read
) -> None:
    image_set = read(cells)
    grouping = find_groups(image_set, kind)
    splits = k_folds(image_set, grouping, folds, seed=0)
    tested = np.concatenate([split.indices("test") for split in splits])
    assert sorted(tested) == list(range(len(image_set)))
    assert [split.fold for split in splits] == [f"{i + 1}/{folds}" for i in range(folds)]
    for split in splits:
        _nothing_crosses(split, grouping)
        for part in PARTS:
            assert set(image_set.targets[split.indices(part)]) == {0, 1}


def test_subject_is_in_one_part_whatever_the_case(cells: Path, read: Read) -> None:
    image_set = read(cells)
    subjects = read_subjects(image_set.paths)
    assert Counter(subjects)["H1"] == 8, "h1 and H1 are one"
    for seed in range(5):
        split = divide(image_set, find_groups(image_set, "subject"), 0.2, seed)
        parts: dict[str, set[str]] = {}
        for subject, part in zip(subjects, split.parts, strict=True):
            parts.setdefault(subject, set()).add(part)
        assert all(len(found) == 1 for found in parts.values())
        for part in PARTS:
            inside = {subject for subject, found in parts.items() if found == {part}}
            assert any(subject.startswith("H") for subject in inside)
            assert any(not subject.startswith("H") for subject in inside)


def test_subjects_that_share_a_file_are_one(cells: Path, read: Read) -> None:
    shutil.copy(cells / "all" / "UID_11_1_0_all.png", cells / "all" / "UID_20_9_0_all.png")
    image_set = read(cells)
    groups = find_groups(image_set, "subject").groups
    subjects = read_subjects(image_set.paths)
    numbers = {subject: set(groups[np.array(subjects) == subject]) for subject in set(subjects)}
    assert numbers["11"] == numbers["20"]
    assert len({min(found) for found in numbers.values()}) == len(numbers) - 1


def test_subject_with_one_image_is_no_trouble(cells: Path, read: Read) -> None:
    for number in range(1, 6):
        (cells / "all" / f"UID_11_1_{number}_all.png").unlink()
    image_set = read(cells)
    split = divide(image_set, find_groups(image_set, "subject"), 0.2, 0)
    assert set(split.parts) == set(PARTS)


@pytest.mark.parametrize("kept", [1, 2])
def test_too_few_subjects_are_named(kept: int, cells: Path, read: Read) -> None:
    for subject in ("H1", "h1", "H2", "H3", "H4")[kept + 1 :]:
        for path in (cells / "hem").glob(f"UID_{subject}_*"):
            path.unlink()
    image_set = read(cells)
    grouping = find_groups(image_set, "subject")
    with pytest.raises(SplitError, match=rf"subjects of class hem: {kept} \(H1.*three parts"):
        divide(image_set, grouping, 0.2, 0)
    with pytest.raises(SplitError, match=rf"subjects of class hem: {kept} .* 5 folds"):
        k_folds(image_set, grouping, 5, 0)


def test_names_without_subjects_are_refused(smears: Path, read: Read) -> None:
    image_set = read(smears)
    assert find_subjects(image_set.paths) is None
    with pytest.raises(SplitError, match=r"96 of 96 that are not.*--split grouped"):
        find_groups(image_set, "subject")


def test_healthy_subjects_of_cnmc_are_too_few_for_three_parts(shared: Path) -> None:
    """What is at hand of fold 1 has two healthy subjects; the error names them."""
    image_set = read_image_set(shared / "data" / "cnmc" / "fold_1", 32, 32)
    assert len(set(read_subjects(image_set.paths))) == 11
    with pytest.raises(SplitError, match=r"subjects of class hem: 2 \(H10, H14\)"):
        divide(image_set, find_groups(image_set, "subject"), 0.2, 0)


def test_real_cells_are_divided_by_subject(shared: Path, tmp_path: Path, read: Read) -> None:
    """C-NMC with the images of one healthy subject told apart into two, as if of two."""
    source = shared / "data" / "cnmc" / "fold_1"
    for label in ("all", "hem"):
        (tmp_path / label).mkdir()
        for number, path in enumerate(sorted((source / label).iterdir())[::5]):
            name = path.name.replace("UID_H14", "UID_h15") if number % 2 else path.name
            (tmp_path / label / name).symlink_to(path)
    image_set = read(tmp_path)
    grouping = find_groups(image_set, "subject")
    splits = repeats(image_set, grouping, 3, 0.2, 0)
    for split in splits:
        check_leakage(split, image_set)
        _nothing_crosses(split, grouping)


@pytest.mark.parametrize("text", ["1", "0/5", "6/5", "1/1", "a/b", "1/51", "-1/5", "", "1/5/2"])
def test_fold_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SplitError, match="I/K"):
        parse_fold(text)


def test_fold_is_read() -> None:
    assert parse_fold("2/5") == Fold(2, 5)
    assert str(Fold(2, 5)) == "2/5"


@pytest.mark.parametrize("folds", [1, 51])
def test_number_of_folds_out_of_range_is_refused(folds: int, cells: Path, read: Read) -> None:
    image_set = read(cells)
    with pytest.raises(SplitError, match="2 to 50 folds"):
        k_folds(image_set, find_groups(image_set, "random"), folds, 0)
