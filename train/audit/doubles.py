"""Images that a set holds more than once, and those that it calls by two names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from train.image_set import ImageSet
from train.splits.duplicates import duplicate_groups

#: Positions of images in a set.
Group = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doubles:
    """Groups of images that are the same.

    Attributes:
        exact: groups of two or more files with the same bytes.
        near: groups of two or more images that look the same without being the same file all.
        conflicts: those groups of either kind that lie in several classes.
    """

    exact: tuple[Group, ...]
    near: tuple[Group, ...]
    conflicts: tuple[Group, ...]


def find_doubles(image_set: ImageSet) -> Doubles:
    """Find exact duplicates by SHA-256, and near duplicates by `train.splits.duplicates`."""
    exact = _groups(image_set.digests)
    alike = _groups(duplicate_groups(image_set.digests, image_set.thumbnails).tolist())
    near = tuple(group for group in alike if len({image_set.digests[index] for index in group}) > 1)
    conflicts = tuple(
        group for group in alike if len(np.unique(image_set.targets[list(group)])) > 1
    )
    return Doubles(exact, near, conflicts)


def _groups(keys: Iterable[str | int]) -> tuple[Group, ...]:
    """Return the positions of each key that occurs twice or more."""
    members: dict[str | int, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        members[key].append(index)
    return tuple(tuple(group) for group in members.values() if len(group) > 1)
