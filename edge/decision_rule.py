"""Which class counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.labels import benign_label


def most_likely(scores: ArrayLike, labels: Sequence[str]) -> NDArray[np.int64]:
    """Return the class with the highest score; of several as high, not the benign one.

    Scores of int8 networks are whole 256ths, so that a malignant class and the benign one can have
    the very same: a screening must not take that for benign. Of malignant classes the first counts.

    Args:
        scores: shape (..., classes); any type of number.
        labels: the classes' names.

    Returns:
        Positions in `labels`; int64, shape (...).
    """
    order = _benign_last(tuple(labels))
    highest = np.asarray(scores)[..., order].argmax(axis=-1)
    return np.asarray(order[highest], np.int64)


@cache
def _benign_last(labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the positions of the classes, the benign one at the end; once for all frames."""
    benign = benign_label(labels)
    return np.array(sorted(range(len(labels)), key=lambda index: labels[index] == benign))
