"""Balancing of the training part by SMOTE.

Chawla et al., "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 16 (2002): a new example
lies at a random point between an example of the minority class and one of its nearest neighbours.

Only ever called with the training part: a synthetic example next to a validation or test image
would carry that image into training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from imblearn.over_sampling import SMOTE
from numpy.typing import NDArray

from edge.errors import SplitError, TrainingError

_NEIGHBOURS = 5


def check_classes(targets: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Refuse a training part that SMOTE cannot balance.

    Args:
        targets: class of each image of the training part; int64, shape (n,).
        labels: the classes' names.

    Raises:
        SplitError: a class has one training image alone, which has no neighbour.
    """
    counts = np.bincount(targets, minlength=len(labels))
    if counts.min() < 2 <= counts.max():
        label = labels[int(counts.argmin())]
        raise SplitError(
            "SMOTE needs two training images or more of each class",
            got=f"{counts.min()} of class {label}",
            next_step=f"Add images of class {label}, or train with --balance none",
        )


def smote_vectors(
    vectors: NDArray[np.float32], targets: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Add synthetic vectors until all classes are as large as the largest.

    Args:
        vectors: float32, shape (n, features). Integers are refused by type: imbalanced-learn
            would wrap them around without a word.
        targets: each vector's class; int64, shape (n,).
        seed: of the random choice.

    Returns:
        The given vectors followed by the synthetic ones, and all classes.

    Raises:
        TrainingError: the vectors are not float32, or a class has only one of them.
    """
    if vectors.dtype != np.float32:
        raise TrainingError(
            "SMOTE works on float32 vectors",
            got=vectors.dtype,
            next_step="Convert them with astype(numpy.float32)",
        )
    present, counts = np.unique(targets, return_counts=True)
    smallest = int(counts.min())
    if smallest == int(counts.max()):
        return vectors, targets
    if smallest < 2:
        raise TrainingError(
            "SMOTE needs two training images or more of each class",
            got=f"{smallest} of class number {present[counts.argmin()]}",
            next_step="Add images of that class, or train with --balance none",
        )
    sampler = SMOTE(k_neighbors=min(_NEIGHBOURS, smallest - 1), random_state=seed)
    balanced, classes = sampler.fit_resample(vectors, targets)
    return np.asarray(balanced, np.float32), np.asarray(classes, np.int64)


def smote_images(
    images: NDArray[np.uint8], targets: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Add synthetic images until all classes are as large as the largest.

    Args:
        images: RGB, uint8, shape (n, height, width, 3); blended as float32, then rounded.
        targets: each image's class; int64, shape (n,).
        seed: of the random choice.

    Returns:
        The given images followed by the synthetic ones (uint8), and all classes.

    Raises:
        TrainingError: a class has only one image.
    """
    count, *shape = images.shape
    vectors, classes = smote_vectors(images.reshape(count, -1).astype(np.float32), targets, seed)
    synthetic = np.rint(vectors[count:]).clip(0, 255).astype(np.uint8).reshape(-1, *shape)
    return np.concatenate([images, synthetic]), classes
