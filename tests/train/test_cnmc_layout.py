"""C-NMC 2019 as its archive unpacks: folds, the preliminary set, and what is wrong with copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.cell_crop import CellCrop
from edge.errors import DatasetError
from edge.image_file import read_image
from edge.preprocess import preprocess
from tests.train.cell_images import write_cells
from train.image_set import read_image_set
from train.splits.division import find_groups
from train.splits.subjects import read_sources, read_subjects

PRELIMINARY = "C-NMC_test_prelim_phase_data"


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """Two folds inside the set's folder."""
    root = tmp_path / "set" / "C-NMC_training_data"
    write_cells(root / "fold_0", {"all": ("1",), "hem": ("H1",)})
    write_cells(root / "fold_1", {"all": ("2",), "hem": ("h1", "H2")})
    return root


@pytest.fixture
def preliminary(tmp_path: Path) -> Path:
    """Renamed cells with their table beside them."""
    cells = write_cells(tmp_path / "cells", {"all": ("57",), "hem": ("H30",)})
    folder = tmp_path / PRELIMINARY
    folder.mkdir()
    rows = ["Patient_ID,new_names,labels"]
    for number, path in enumerate(sorted(cells.rglob("*.bmp")), start=1):
        shutil.copy(path, folder / f"{number}.bmp")
        rows.append(f"{path.name},{number}.bmp,{int(path.parent.name == 'all')}")
    (tmp_path / f"{PRELIMINARY}_labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_folds_are_one_set_of_two_classes(training: Path) -> None:
    for folder in (training.parent, training):
        image_set = read_image_set(folder, 48, 48)
        assert image_set.labels == ("all", "hem")
        assert len(image_set) == 50
        assert image_set.paths[0] == "fold_0/all/UID_1_1_1_all.bmp"
        assert set(read_subjects(image_set.called)) == {"1", "2", "H1", "H2"}
        assert all(
            (target == 0) == ("/all/" in path)
            for target, path in zip(image_set.targets, image_set.paths, strict=True)
        )


def test_cells_are_what_the_one_preprocessing_makes_of_them(training: Path) -> None:
    crop = CellCrop(288, 450)
    plain, cut = read_image_set(training, 48, 48), read_image_set(training, 48, 48, cell=crop)
    assert not np.array_equal(plain.images, cut.images), "another view, out of the cache or not"
    for path, image in zip(cut.paths[::7], cut.images[::7], strict=True):
        frame = read_image(training / path)
        assert np.array_equal(image, preprocess(frame, 48, 48, cell=crop))
    assert plain.digest() == cut.digest()


def test_source_images_are_told_by_subject_and_number(training: Path) -> None:
    image_set = read_image_set(training, 48, 48)
    assert len(set(read_sources(image_set.called))) == 20, "h1 is H1: the same five"


@pytest.mark.parametrize("label", ["all", "hem"])
def test_fold_with_one_class_is_refused(training: Path, label: str) -> None:
    shutil.rmtree(training / "fold_1" / label)
    with pytest.raises(DatasetError, match=rf"none of {label} in .*fold_1"):
        read_image_set(training, 48, 48)


def test_preliminary_set_is_read_by_its_table(preliminary: Path) -> None:
    image_set = read_image_set(preliminary, 48, 48)
    assert image_set.paths[0].endswith(f"{PRELIMINARY}/1.bmp")
    assert image_set.targets.tolist() == [0] * 10 + [1] * 10
    assert set(read_subjects(image_set.called)) == {"57", "H30"}
    assert len(set(find_groups(image_set, "subject").groups.tolist())) == 2
    # The table may lie inside as well.
    table = preliminary.parent / f"{PRELIMINARY}_labels.csv"
    table.rename(preliminary / table.name)
    assert read_image_set(preliminary, 48, 48).digest() == image_set.digest()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("new_names", "file", "has the columns"),
        (",1\n", ",2\n", "has the columns"),
        ("_all.bmp,1.bmp,1", "_all.bmp,1.bmp,0", "said to be of class hem"),
        (",1.bmp,", ",99.bmp,", "in one of both only"),
    ],
)
def test_table_that_does_not_fit_is_refused(
    preliminary: Path, old: str, new: str, message: str
) -> None:
    table = preliminary.parent / f"{PRELIMINARY}_labels.csv"
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new, 1))
    with pytest.raises(DatasetError, match=message):
        read_image_set(preliminary, 48, 48)


def test_real_set_is_read_with_its_original_bmp(shared: Path) -> None:
    root = shared / "data" / "cnmc"
    image_set = read_image_set(root, 96, 96, cell=CellCrop(288, 450))
    assert np.bincount(image_set.targets).tolist() == [693, 400]
    assert len(set(read_subjects(image_set.called))) == 11
    originals = read_image_set(root / "bmp", 96, 96, cell=CellCrop(288, 450))
    assert len(originals) == 4
    stems = [Path(path).stem for path in image_set.paths]
    known = dict(zip(stems, image_set.images, strict=True))
    for path, image in zip(originals.paths, originals.images, strict=True):
        stem = Path(path).stem
        assert stem not in known or np.array_equal(known[stem], image)
