"""Subjects, where the file names tell them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import SplitError
from train.splits.duplicates import chained_pairs, connected_groups

#: How C-NMC 2019 names its files (Gupta & Gupta, TCIA, DOI 10.7937/tcia.2019.dc64i46r):
#: UID_<subject>_<image>_<cell>_<all or hem>, healthy subjects beginning with H.
_NAME = re.compile(r"(?:^|/)UID_(H?\d+)_(\d+)_\d+_(?:all|hem)\.\w+$", re.IGNORECASE)


def find_subjects(paths: Sequence[str]) -> tuple[str, ...] | None:
    """Return each image's subject, or None where not every name tells one.

    Args:
        paths: of the images. Some mirrors of C-NMC write `h` for `H`: both are one subject.
    """
    matches = [_NAME.search(path) for path in paths]
    found = tuple(match[1].upper() for match in matches if match is not None)
    return found if len(found) == len(matches) else None


def read_subjects(paths: Sequence[str]) -> tuple[str, ...]:
    """Return each image's subject.

    Raises:
        SplitError: a name tells none.
    """
    subjects = find_subjects(paths)
    if subjects is None:
        without = [path for path in paths if _NAME.search(path) is None]
        raise SplitError(
            "A split by subject needs files named UID_<subject>_<image>_<cell>_<all or hem>",
            got=f"{len(without)} of {len(paths)} that are not, such as {without[0]}",
            next_step="Use --split grouped, which infers pseudo-groups from the images",
        )
    return subjects


def read_sources(paths: Sequence[str]) -> tuple[str, ...]:
    """Return each cell's source image, as subject and image number.

    Raises:
        SplitError: a name tells none.
    """
    read_subjects(paths)
    matches = [_NAME.search(path) for path in paths]
    return tuple(f"{one[1].upper()}_{one[2]}" for one in matches if one is not None)


def subject_groups(subjects: Sequence[str], duplicates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the subjects, those that share an image being one.

    C-NMC has identical files under different ids (20 and 21, 51 and 75): these are one subject.

    Args:
        subjects: each image's subject; n of them.
        duplicates: each image's duplicate group; int64, shape (n,).

    Returns:
        Each image's group; int64, shape (n,).
    """
    _, numbers = np.unique(np.array(subjects), return_inverse=True)
    pairs = np.hstack([chained_pairs(numbers.astype(np.int64)), chained_pairs(duplicates)])
    return connected_groups(pairs, len(subjects))
