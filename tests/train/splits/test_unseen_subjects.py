"""Divisions that leave subjects out, where too few are there to spare one for validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import LeakageError, SplitError
from tests.train.cell_images import write_cells
from train.image_set import ImageSet, read_image_set
from train.splits.division import divide, find_groups, k_folds
from train.splits.leakage import check_leakage
from train.splits.subjects import read_sources, read_subjects
from train.splits.unseen_subjects import most_folds


@pytest.fixture
def image_set(tmp_path: Path) -> ImageSet:
    return read_image_set(write_cells(tmp_path / "cells"), 32, 32)


def test_every_fold_tests_healthy_subjects_that_it_has_not_seen(image_set: ImageSet) -> None:
    grouping = find_groups(image_set, "unseen-subjects")
    assert most_folds(image_set.targets, grouping.groups) == 2
    splits = k_folds(image_set, grouping, 2, 0)
    names, sources = read_subjects(image_set.called), read_sources(image_set.called)
    tested = []
    for split in splits:
        check_leakage(split, image_set)
        by_part = {
            part: {names[place] for place in split.indices(part)}
            for part in ("train", "validation", "test")
        }
        assert len({one for one in by_part["test"] if one.startswith("H")}) == 1
        assert any(not one.startswith("H") for one in by_part["test"])
        assert by_part["test"].isdisjoint(by_part["train"] | by_part["validation"])
        fields = [
            {sources[place] for place in split.indices(part)} for part in ("train", "validation")
        ]
        assert fields[0].isdisjoint(fields[1]), "cells of one source image stay together"
        for part in ("train", "validation", "test"):
            assert set(image_set.targets[split.indices(part)]) == {0, 1}
        tested += split.indices("test").tolist()
    assert sorted(tested) == list(range(len(image_set)))


def test_subject_in_test_and_training_is_a_leak(image_set: ImageSet) -> None:
    split = k_folds(image_set, find_groups(image_set, "unseen-subjects"), 2, 0)[0]
    place = int(split.indices("test")[0])
    parts = (*split.parts[:place], "train", *split.parts[place + 1 :])
    with pytest.raises(LeakageError, match="subject of the test part is in no other part"):
        check_leakage(replace(split, parts=parts), image_set)


def test_single_division_may_have_no_test_part(image_set: ImageSet) -> None:
    grouping = find_groups(image_set, "unseen-subjects")
    split = divide(image_set, grouping, 0.0, 0)
    assert set(split.parts) == {"train", "validation"}
    check_leakage(split, image_set)
    with pytest.raises(SplitError, match=r"below 0\.9"):
        divide(image_set, grouping, 0.9, 0)


def test_more_folds_than_healthy_subjects_are_refused(image_set: ImageSet) -> None:
    grouping = find_groups(image_set, "unseen-subjects")
    with pytest.raises(SplitError, match=r"subjects of class hem: 2, for 3 folds"):
        k_folds(image_set, grouping, 3, 0)


def test_one_healthy_subject_is_too_few(tmp_path: Path) -> None:
    cells = write_cells(tmp_path / "one", {"all": ("1", "2"), "hem": ("H1",)})
    image_set = read_image_set(cells, 32, 32)
    groups = find_groups(image_set, "unseen-subjects").groups
    with pytest.raises(SplitError, match="two subjects or more"):
        most_folds(image_set.targets, groups)
    # Two ids that share a file are one subject.
    copy = "UID_H9_1_1_hem.bmp"
    (cells / "hem" / copy).write_bytes((cells / "hem" / "UID_H1_1_1_hem.bmp").read_bytes())
    again = read_image_set(cells, 32, 32)
    groups = find_groups(again, "unseen-subjects").groups
    assert len(np.unique(groups)) == 3
    with pytest.raises(SplitError, match="two subjects or more"):
        most_folds(again.targets, groups)


def test_names_without_subjects_are_refused(tmp_path: Path) -> None:
    cells = write_cells(tmp_path / "cells")
    (cells / "all" / "UID_1_1_1_all.bmp").rename(cells / "all" / "cell.bmp")
    image_set = read_image_set(cells, 32, 32)
    with pytest.raises(SplitError, match=r"1 of 50 that are not, such as all/cell.bmp"):
        find_groups(image_set, "unseen-subjects")
