"""The folders of C-NMC 2019, as its archive unpacks.

Gupta & Gupta, "C-NMC 2019", TCIA, DOI 10.7937/tcia.2019.dc64i46r: single white cells on black, BMP
files of 450 x 450 pixels. The training data lies in `C-NMC_training_data/fold_0` to `fold_2`, each
with `all` (leukemic) and `hem` (healthy); the preliminary phase's test data are
`C-NMC_test_prelim_phase_data/1.bmp` and so on, whose classes and original names a table tells. The
final phase's test data come without classes, and cannot be read as an image set.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from edge.errors import DatasetError
from edge.image_file import list_images
from edge.labels import CELL_LABELS

#: Where the training data lies below the folder that is given, in the archive and in a usual copy.
_TRAINING = (
    Path(),
    Path("C-NMC_training_data"),
    Path("training_data"),
    Path("C-NMC_Leukemia/training_data"),
)
_FOLD = re.compile(r"fold_\d+")

_PRELIMINARY = "C-NMC_test_prelim_phase_data"
_TABLE = f"{_PRELIMINARY}_labels.csv"

#: How the table writes the classes.
_CLASSES = {"1": "all", "0": "hem"}

Found = tuple[Path, Mapping[str, list[Path]], Mapping[Path, str]]


def find_cnmc(folder: Path) -> Found | None:
    """Find the images of C-NMC under a folder.

    Args:
        folder: of the set, of its training data, or of the preliminary phase's test data. Where
            both are there, the training data is taken.

    Returns:
        What paths are relative to, the files of `all` and `hem`, and the original names of those
        that were renamed; None where the folder is not laid out so.

    Raises:
        DatasetError: it is, and a class or an entry of the table is not there.
    """
    for below in _TRAINING:
        root = folder / below
        folds = sorted(path for path in _folders(root) if _FOLD.fullmatch(path.name))
        if folds:
            return root, _read_folds(root, folds), {}
    for place in (folder, folder / _PRELIMINARY):
        for table in (place / _TABLE, place.parent / _TABLE):
            if place.name == _PRELIMINARY and table.is_file():
                return _read_table(place, table)
    return None


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []


def _read_folds(root: Path, folds: list[Path]) -> dict[str, list[Path]]:
    """Return the files of each class, over all folds."""
    found: dict[str, list[Path]] = {label: [] for label in CELL_LABELS}
    for fold in folds:
        for label in CELL_LABELS:
            files = list_images(fold / label) if (fold / label).is_dir() else []
            if not files:
                raise DatasetError(
                    f"Each fold of C-NMC holds images of {' and '.join(CELL_LABELS)}",
                    got=f"none of {label} in {fold}",
                    next_step="Unpack the fold again, or leave it out",
                )
            found[label] += files
    return found


def _read_table(folder: Path, table: Path) -> Found:
    """Return the preliminary phase's files by class, with their original names."""
    found: dict[str, list[Path]] = {label: [] for label in CELL_LABELS}
    names: dict[Path, str] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                path, original = folder / row["new_names"].strip(), row["Patient_ID"].strip()
                label = _CLASSES[row["labels"].strip()]
                if not re.search(rf"_{label}(\.\w+)?$", original, re.IGNORECASE):
                    raise ValueError(f"{original}, said to be of class {label}")
                found[label].append(path)
                names[path] = original
    except (OSError, KeyError, ValueError, AttributeError, csv.Error) as error:
        raise DatasetError(
            f"{table} has the columns Patient_ID (the original name), new_names and labels "
            "(1 for all, 0 for hem)",
            got=f"{type(error).__name__}: {error}",
            next_step="Unpack the set again",
        ) from error
    files = set(list_images(folder))
    if missing := sorted(str(path) for path in set(names) ^ files):
        raise DatasetError(
            f"{table} tells the class of each image in {folder}, and of no other",
            got=f"{len(missing)} that are in one of both only, such as {missing[0]}",
            next_step="Unpack the set again",
        )
    return folder.parent, {label: sorted(files) for label, files in found.items()}, names
