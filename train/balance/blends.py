"""Synthetic examples as blends of two real ones, whose parents stay known.

Chawla et al., "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 16 (2002): a new example
lies at a random point between an example of a smaller class and one of its nearest neighbours.
He et al., "ADASYN: Adaptive Synthetic Sampling Approach", IJCNN (2008): more of them around those
examples that have neighbours of other classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE
from numpy.typing import NDArray

from edge.errors import TrainingError

_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Blends:
    """Synthetic examples, each between two real ones of one class.

    Attributes:
        parents: positions of the two real examples; int64, shape (m, 2).
        weights: share of the second parent, 0..1; float32, shape (m,).
        targets: class of each; int64, shape (m,).
    """

    parents: NDArray[np.int64]
    weights: NDArray[np.float32]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    def of_vectors(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the blended vectors; float32, shape (m, features)."""
        first, second = vectors[self.parents[:, 0]], vectors[self.parents[:, 1]]
        return np.asarray(first + self.weights[:, None] * (second - first), np.float32)

    def of_images(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the blended images, computed in float32 and rounded; uint8, shape (m, ...).

        One by one: in float32 all of them would take gigabytes.
        """
        blended = np.empty((len(self), *images.shape[1:]), np.uint8)
        for out, (first, second), weight in zip(blended, self.parents, self.weights, strict=True):
            start = images[first].astype(np.float32)
            out[...] = np.rint(start + weight * (images[second] - start))
        return blended


def draw_blends(
    vectors: NDArray[np.float32],
    targets: NDArray[np.int64],
    seed: int,
    sampler: Literal["smote", "adasyn"] = "smote",
) -> Blends:
    """Draw synthetic examples until all classes are as large as the largest, or nearly so.

    imbalanced-learn does the drawing. It tells nobody the parents; so the vectors get the rows of
    an identity matrix appended, of which a synthetic vector then holds the parents' shares. All
    squared distances between different examples grow by the same 2, which leaves the order of
    neighbours as it was.

    Args:
        vectors: what neighbours are found by; float32, shape (n, features). Integers are refused:
            imbalanced-learn would wrap them around without a word.
        targets: each vector's class; int64, shape (n,).
        seed: of the random choice.
        sampler: "smote", or "adasyn", which leaves classes as they are that no other touches.

    Returns:
        The synthetic examples; none where the classes are of one size.

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
    smallest, largest = int(counts.min()), int(counts.max())
    if smallest < 2 <= largest:
        raise TrainingError(
            "SMOTE needs two training images or more of each class",
            got=f"{smallest} of class number {present[counts.argmin()]}",
            next_step="Add images of that class, or train with --balance none",
        )
    n = len(targets)
    traced = np.concatenate([vectors, np.eye(n, dtype=np.float32)], axis=1)
    neighbours = min(_NEIGHBOURS, smallest - 1)
    shares, classes = [np.empty((0, n), np.float32)], [np.empty(0, np.int64)]
    wanted = {
        int(one): largest for one, count in zip(present, counts, strict=True) if count < largest
    }
    for one, size in wanted.items() if sampler == "adasyn" else [(None, 0)]:
        drawn = _resample(
            traced, targets, wanted if one is None else {one: size}, neighbours, seed, sampler
        )
        if drawn is not None:
            shares.append(drawn[0][n:, vectors.shape[1] :])
            classes.append(drawn[1][n:])
    return _trace(np.concatenate(shares), np.concatenate(classes))


def _resample(
    vectors: NDArray[np.float32],
    targets: NDArray[np.int64],
    wanted: dict[int, int],
    neighbours: int,
    seed: int,
    sampler: str,
) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
    if not wanted:
        return None
    if sampler == "smote":
        method = SMOTE(sampling_strategy=wanted, k_neighbors=neighbours, random_state=seed)
    else:
        method = ADASYN(sampling_strategy=wanted, n_neighbors=neighbours, random_state=seed)
    try:
        balanced, classes = method.fit_resample(vectors, targets)
    except (RuntimeError, ValueError):
        if sampler == "adasyn":
            # No example of this class has a neighbour of another: there is nothing to add.
            return None
        raise
    return np.asarray(balanced, np.float32), np.asarray(classes, np.int64)


def _trace(shares: NDArray[np.float32], targets: NDArray[np.int64]) -> Blends:
    """Read each synthetic example's parents from its shares of all examples."""
    second = shares.argmax(axis=1)
    weights = shares[np.arange(len(shares)), second]
    rest = shares.copy()
    rest[np.arange(len(shares)), second] = 0.0
    # An example blended with itself, or at one end of the way, has one parent alone.
    first = np.where(rest.max(axis=1, initial=0.0) > 0, rest.argmax(axis=1), second)
    parents = np.stack([first, second], axis=1).astype(np.int64)
    return Blends(parents, weights.astype(np.float32), targets)
