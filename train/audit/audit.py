"""An image set examined before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError
from train.audit.container import Container
from train.audit.doubles import Doubles, Group, find_doubles
from train.audit.shortcut_table import REPEATS, SPLITS, shortcut_table, verdicts
from train.audit.shortcuts import Features, read_containers, shortcut_features
from train.image_set import ImageSet, Progress, read_usable_images
from train.splits.duplicates import duplicate_groups
from train.splits.pseudo_groups import pseudo_groups

#: Side in pixels at which images are looked at: that of both networks' larger input.
SIDE = 224


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """What was found in an image set.

    Attributes:
        image_set: the readable images, at `SIDE` x `SIDE` pixels.
        features: the shortcuts' numbers, as `train.audit.shortcuts.shortcut_features` has them.
        groups: each image's pseudo-group; int64, shape (n,).
        doubles: images that are the same.
        report: all findings as JSON has them.
    """

    image_set: ImageSet
    features: Features
    groups: NDArray[np.int64]
    doubles: Doubles
    report: dict[str, Any]

    @property
    def usable(self) -> bool:
        """Whether the set can be trained on as it is."""
        return not self.report["must_mend"]


def audit(
    data: Path,
    *,
    seed: int = 0,
    read_progress: Progress | None = None,
    score_progress: Progress | None = None,
) -> Audit:
    """Examine an image set: what it holds, what is wrong with it, and what gives it away.

    Args:
        data: holds `<class>/` or `Original/<class>/` with images.
        seed: of the first of the splits that shortcuts are scored on.
        read_progress: called with (images read, images in all).
        score_progress: called with (splits scored, splits in all), first with 0 as the search for
            pseudo-groups begins.

    Returns:
        The findings. The report has `data, data_sha256, n, classes, unreadable, exact_duplicates,
        near_duplicates, label_conflicts, pseudo_groups, shortcuts, verdicts, must_mend, usable`.

    Raises:
        DatasetError: the folder is no image set, or none of its images can be read.
    """
    image_set, unreadable = read_usable_images(data, SIDE, SIDE, progress=read_progress)
    if not len(image_set):
        raise DatasetError(
            "An image set holds images that can be read",
            got=f"none under {image_set.folder}; {unreadable[0].path}: {unreadable[0].reason}",
            next_step="Export the images again as 8-bit RGB JPEG, PNG, BMP or TIFF",
        )
    if score_progress is not None:
        score_progress(0, len(SPLITS) * REPEATS)
    containers = read_containers(image_set)
    features = shortcut_features(image_set, containers)
    doubles = find_doubles(image_set)
    duplicates = duplicate_groups(image_set.digests, image_set.thumbnails)
    groups = pseudo_groups(image_set, duplicates=duplicates)
    table = shortcut_table(
        image_set, features, {"random": duplicates, "grouped": groups}, seed, score_progress
    )
    must_mend = []
    if unreadable:
        must_mend.append(f"Unreadable files: {len(unreadable)}. Replace or remove them.")
    if doubles.conflicts:
        must_mend.append(
            f"Images that lie in several classes: {len(doubles.conflicts)}. Remove each from those "
            "that it does not belong to."
        )
    report = {
        "data": str(data),
        "data_sha256": image_set.digest(),
        "n": len(image_set),
        "classes": _classes(image_set, containers),
        "unreadable": [
            {"path": one.path, "class": one.label, "reason": one.reason} for one in unreadable
        ],
        "exact_duplicates": _paths(image_set, doubles.exact),
        "near_duplicates": _paths(image_set, doubles.near),
        "label_conflicts": _paths(image_set, doubles.conflicts),
        "pseudo_groups": _pseudo_groups(image_set, groups),
        "shortcuts": table,
        "verdicts": verdicts(table),
        "must_mend": must_mend,
        "usable": not must_mend,
    }
    return Audit(image_set, features, groups, doubles, report)


def _classes(image_set: ImageSet, containers: Sequence[Container]) -> dict[str, dict[str, Any]]:
    """Return for each class its n, formats, sizes in pixels, and least, median and most bytes."""
    described = {}
    for target, label in enumerate(image_set.labels):
        inside = [
            containers[index] for index in np.flatnonzero(image_set.targets == target).tolist()
        ]
        sizes = [one.size for one in inside]
        described[label] = {
            "n": len(inside),
            "formats": _counts(one.format for one in inside),
            "pixels": _counts(f"{one.width} x {one.height}" for one in inside),
            "bytes": [min(sizes), int(median(sizes)), max(sizes)] if sizes else None,
            "jpeg_tables": _counts(
                f"{one.luma_step:.4g} / {one.chroma_step:.4g}"
                for one in inside
                if one.format == "JPEG"
            ),
        }
    return described


def _counts(names: Iterable[str]) -> dict[str, int]:
    """Count names, the most frequent first."""
    return dict(Counter(names).most_common())


def _paths(image_set: ImageSet, groups: Sequence[Group]) -> list[list[str]]:
    return [[image_set.paths[index] for index in group] for group in groups]


def _pseudo_groups(image_set: ImageSet, groups: NDArray[np.int64]) -> dict[str, Any]:
    """Return how many groups there are, and how many images of each class each has."""
    counts = np.zeros((int(groups.max()) + 1, len(image_set.labels)), np.int64)
    np.add.at(counts, (groups, image_set.targets), 1)
    return {
        "n": len(counts),
        "of_one_class": int(((counts > 0).sum(axis=1) == 1).sum()),
        "images_by_class": [
            dict(zip(image_set.labels, row, strict=True)) for row in counts.tolist()
        ],
        "groups": dict(zip(image_set.paths, groups.tolist(), strict=True)),
    }
