"""Division of an image set into training, validation and test parts."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edge.errors import SplitError
from train.splits.kinds import SPLIT_KINDS, SplitKind, caveat

PARTS = ("train", "validation", "test")

#: Share of the images in the test part, unless asked otherwise.
DEFAULT_TEST_FRACTION = 0.2

#: Share of what the test part leaves that validation takes.
VALIDATION_FRACTION = 0.1

#: The columns of a split's file. The last three are absent from files of earlier versions.
COLUMNS = ("path", "part", "group", "sha256", "kind", "seed", "fold")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which part each image of a set belongs to.

    Attributes:
        paths: each image's path relative to the set's folder.
        digests: SHA-256 of each file.
        parts: one of `PARTS` for each image.
        groups: number of each image's group of those that the division keeps whole: duplicates
            for a random one, pseudo-groups or subjects for the others.
        kind: what was kept together.
        seed: of the division; None where the file does not say.
        fold: such as "1/5", where the test part is one of several; None where it is not.
    """

    paths: tuple[str, ...]
    digests: tuple[str, ...]
    parts: tuple[str, ...]
    groups: tuple[int, ...]
    kind: SplitKind = "random"
    seed: int | None = None
    fold: str | None = None

    @property
    def caveat(self) -> str:
        """What the division does and does not keep apart."""
        return caveat(self.kind, self.fold)

    @property
    def judging(self) -> str:
        """The part that figures are of: "test", or "validation" where no image is kept for it."""
        return "test" if "test" in self.parts else "validation"

    def indices(self, part: str) -> NDArray[np.int64]:
        """Return the positions of one part's images; int64, shape (n,)."""
        return np.array([i for i, one in enumerate(self.parts) if one == part], np.int64)

    def digest(self) -> str:
        """SHA-256 over which file is in which part."""
        lines = sorted(f"{d} {p}" for d, p in zip(self.digests, self.parts, strict=True))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def random_split(
    targets: NDArray[np.int64],
    labels: Sequence[str],
    groups: NDArray[np.int64],
    test_fraction: float,
    seed: int,
) -> tuple[str, ...]:
    """Assign images to parts at random, stratified by class, groups undivided.

    Args:
        targets: each image's class; int64, shape (n,).
        labels: the classes' names.
        groups: each image's duplicate group; int64, shape (n,).
        test_fraction: share of each class that goes to the test part, below 0.9; 0 for no such
            part.
        seed: of the random order.

    Returns:
        One of `PARTS` for each image.

    Raises:
        SplitError: the fraction is out of range, or a class has too few images to be in every
            part.
    """
    check_test_fraction(test_fraction)
    generator = np.random.default_rng(seed)
    parts = np.full(len(targets), "train", dtype="<U10")
    for target, label in enumerate(labels):
        members = np.flatnonzero(targets == target)
        class_groups = np.unique(groups[members])
        if len(class_groups) < len(PARTS):
            raise SplitError(
                f"Each class needs {len(PARTS)} images or more that are not doubles of one "
                "another, one for each of training, validation and test",
                got=f"{len(class_groups)} in class {label}",
                next_step=f"Add images of class {label}",
            )
        generator.shuffle(class_groups)
        wanted_test = max(1, round(test_fraction * len(members))) if test_fraction else 0
        wanted_validation = max(1, round(VALIDATION_FRACTION * (len(members) - wanted_test)))
        taken = {"test": 0, "validation": 0}
        for index, group in enumerate(class_groups):
            left = len(class_groups) - index - 1
            # However large the test part, a group is left for each of the other two.
            for part, wanted, reserved in (
                ("test", wanted_test, 2),
                ("validation", wanted_validation, 1),
            ):
                if taken[part] < wanted and left >= reserved:
                    inside = groups == group
                    parts[inside] = part
                    taken[part] += int(inside.sum())
                    break
    return tuple(parts.tolist())


def check_test_fraction(test_fraction: float) -> None:
    """Refuse a test part that is nearly all, or no share.

    Raises:
        SplitError: the fraction is below 0, or 0.9 or more.
    """
    if not 0.0 <= test_fraction < 0.9:
        raise SplitError(
            "The test fraction is 0 or more and below 0.9",
            got=test_fraction,
            next_step="Use 0.2 for the usual 80/20 split, or 0 to train on all but validation",
        )


def check_label_conflicts(
    groups: NDArray[np.int64], targets: NDArray[np.int64], paths: Sequence[str]
) -> None:
    """Refuse images that are the same, or nearly, and have different classes.

    Args:
        groups: each image's duplicate group; int64, shape (n,).
        targets: each image's class; int64, shape (n,).
        paths: what to call each image.

    Raises:
        SplitError: there are such images; up to five groups of them are named.
    """
    conflicts = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(np.unique(targets[members])) > 1:
            conflicts.append(" = ".join(paths[member] for member in members[:4]))
    if conflicts:
        raise SplitError(
            "An image, or one nearly identical to it, belongs to one class only",
            got=f"{len(conflicts)} that belong to several: {'; '.join(conflicts[:5])}",
            next_step="Remove the double from the class that it does not belong to",
        )


def write_split(path: Path, split: Split) -> None:
    """Write a split as CSV with the columns path, part, group, sha256, kind, seed and fold."""
    described = (split.kind, "" if split.seed is None else split.seed, split.fold or "")
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in zip(split.paths, split.parts, split.groups, split.digests, strict=True):
            writer.writerow((*row, *described))


def read_split(path: Path) -> Split:
    """Read a split that `write_split` wrote.

    Raises:
        SplitError: the file is absent or is not such a table.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("no rows")
        if any(None in (row["path"], row["sha256"]) for row in rows):
            raise ValueError("a row that is cut short")
        if unknown := {row["part"] for row in rows} - set(PARTS):
            raise ValueError(f"a part named {sorted(map(str, unknown))[0]}")
        described = {tuple(row.get(name) or "" for name in COLUMNS[4:]) for row in rows}
        if len(described) > 1:
            raise ValueError("several kinds, seeds or folds")
        kind, seed, fold = described.pop()
        if kind and kind not in SPLIT_KINDS:
            raise ValueError(f"a kind named {kind}")
        return Split(
            paths=tuple(row["path"] for row in rows),
            digests=tuple(row["sha256"] for row in rows),
            parts=tuple(row["part"] for row in rows),
            groups=tuple(int(row["group"]) for row in rows),
            kind=cast(SplitKind, kind or "random"),
            seed=int(seed) if seed else None,
            fold=fold or None,
        )
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise SplitError(
            f"The split {path} is a CSV file with columns path, part, group and sha256",
            got=f"{type(error).__name__}: {error}",
            next_step="Pass the split.csv of a run folder, or a file that `blastscope split` wrote",
        ) from error
