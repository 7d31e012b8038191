"""Images that are the same, or nearly so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

#: Pearson correlation of two grey thumbnails above which two images are taken for one scene.
NEAR_IDENTICAL_CORRELATION = 0.97

_BLOCK = 1024


def duplicate_groups(digests: Sequence[str], thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number the groups of byte-identical and near-identical images.

    Two images belong together if their files are the same or their thumbnails correlate above
    `NEAR_IDENTICAL_CORRELATION`; groups are the connected components of that relation.

    Args:
        digests: each file's digest; n of them.
        thumbnails: grey, uint8, shape (n, side, side).

    Returns:
        Each image's group number; int64, shape (n,). An image without a double is a group alone.
    """
    count = len(digests)
    pairs = [_identical_pairs(digests), *_similar_pairs(thumbnails)]
    rows, columns = np.concatenate(pairs, axis=1)
    edges = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, groups = connected_components(edges, directed=False)
    return np.asarray(groups, np.int64)


def _identical_pairs(digests: Sequence[str]) -> NDArray[np.int64]:
    """Pair each file with the first file of the same digest; shape (2, pairs)."""
    first: dict[str, int] = {}
    pairs = [(index, first.setdefault(digest, index)) for index, digest in enumerate(digests)]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def _similar_pairs(thumbnails: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Pair images whose thumbnails correlate, block by block to bound the memory."""
    vectors = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    # A thumbnail of one single grey has no correlation with anything.
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    found = []
    for start in range(0, len(vectors), _BLOCK):
        correlation = vectors[start : start + _BLOCK] @ vectors.T
        rows, columns = np.nonzero(correlation > NEAR_IDENTICAL_CORRELATION)
        found.append(np.stack([rows + start, columns]).astype(np.int64))
    return found
