"""Which class counts."""

from __future__ import annotations

from collections.abc import Sequence

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
    order = np.array(benign_last(labels))
    highest = np.asarray(scores)[..., order].argmax(axis=-1)
    return np.asarray(order[highest], np.int64)


def benign_last(labels: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the classes, the benign one at the end.

    The first of the highest scores in this order is that of the class that counts.

    Args:
        labels: the classes' names.
    """
    benign = benign_label(labels)
    return tuple(sorted(range(len(labels)), key=lambda index: labels[index] == benign))
