"""Images that are the same, or nearly so, however they were turned or mirrored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

#: Pearson correlation of two grey thumbnails above which two images are taken for one scene, once
#: what all the set's thumbnails have in common is taken out of them.
NEAR_IDENTICAL_CORRELATION = 0.9

#: The same where the set is too small to tell what its images have in common.
SMALL_SET_CORRELATION = 0.97

#: Principal components that are taken out, at the most, and images that each must rest on.
COMMON_COMPONENTS, IMAGES_PER_COMPONENT = 16, 12

#: Quarter turns and reflections: all that a square has.
ORIENTATIONS = 8

#: Length of what is left of a thumbnail, of 1, below which it is all noise.
_LEAST_REST = 0.05

_BLOCK = 1024


def duplicate_groups(digests: Sequence[str], thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number the groups of byte-identical and near-identical images.

    Two images belong together if their files are the same, or if their thumbnails correlate in one
    of the eight orientations of a square: a copy that was mirrored or turned by quarters, as
    folders hold that were augmented before they were divided, is found as well. So is one that was
    compressed again, blurred, darkened or given another tint; a copy that was cropped or turned by
    other angles is not. Groups are the connected components of that relation.

    Single cells on black all correlate, since all are bright discs. So the set's first principal
    components, over all orientations, are taken out of the thumbnails first.

    Args:
        digests: each file's digest; n of them.
        thumbnails: grey, uint8, shape (n, side, side).

    Returns:
        Each image's group number; int64, shape (n,). An image without a double is a group alone.
    """
    pairs = [_identical_pairs(digests), *_similar_pairs(thumbnails)]
    return connected_groups(np.concatenate(pairs, axis=1), len(digests))


def connected_groups(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Number the groups that pairs connect.

    Args:
        pairs: which belong together; int64, shape (2, pairs), from 0 to `count` - 1.
        count: how many there are.

    Returns:
        Each one's group number; int64, shape (count,).
    """
    rows, columns = pairs
    edges = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, groups = connected_components(edges, directed=False)
    return np.asarray(groups, np.int64)


def chained_pairs(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair the members of each group, one after the other.

    Args:
        groups: each one's group; int64, shape (n,).

    Returns:
        Pairs that connect every group; int64, shape (2, pairs).
    """
    order = np.argsort(groups, kind="stable")
    same = groups[order[:-1]] == groups[order[1:]]
    return np.stack([order[:-1][same], order[1:][same]]).astype(np.int64)


def turn(thumbnails: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn square images by quarters, and mirror them first where `orientation` is 4 or more.

    Args:
        thumbnails: uint8, shape (n, side, side).
        orientation: from 0 (as they are) to `ORIENTATIONS` - 1.
    """
    mirrored = thumbnails[:, :, ::-1] if orientation >= 4 else thumbnails
    return np.ascontiguousarray(np.rot90(mirrored, orientation % 4, axes=(1, 2)))


def _identical_pairs(digests: Sequence[str]) -> NDArray[np.int64]:
    """Pair each file with the first file of the same digest; shape (2, pairs)."""
    first: dict[str, int] = {}
    pairs = [(index, first.setdefault(digest, index)) for index, digest in enumerate(digests)]
    return np.array(pairs, np.int64).reshape(-1, 2).T


def _similar_pairs(thumbnails: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Pair images whose thumbnails correlate, block by block to bound the memory."""
    common = _common_part(thumbnails)
    threshold = NEAR_IDENTICAL_CORRELATION if len(common) else SMALL_SET_CORRELATION
    vectors = _rest(thumbnails, common)
    found = []
    for orientation in range(ORIENTATIONS):
        turned = _rest(turn(thumbnails, orientation), common)
        for start in range(0, len(vectors), _BLOCK):
            # What comes before was compared with these, turned the other way.
            correlation = vectors[start : start + _BLOCK] @ turned[start:].T
            rows, columns = np.nonzero(correlation > threshold)
            found.append(np.stack([rows + start, columns + start]).astype(np.int64))
    return found


def _common_part(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the first principal components of thumbnails in all orientations.

    The mean is one more direction, and not subtracted beforehand. Being made of all orientations,
    the space that the components span is the same after a turn.

    Returns:
        Orthonormal rows; float32, shape (components, pixels); none for a small set.
    """
    components = min(COMMON_COMPONENTS, len(thumbnails) // IMAGES_PER_COMPONENT)
    pixels = thumbnails.shape[1] * thumbnails.shape[2]
    if components == 0:
        return np.empty((0, pixels), np.float32)
    moments = np.zeros((pixels, pixels), np.float32)
    for orientation in range(ORIENTATIONS):
        vectors = _normal(turn(thumbnails, orientation))
        moments += vectors.T @ vectors / len(vectors)
    _, directions = np.linalg.eigh(moments)
    return np.asarray(directions[:, -components:].T, np.float32)


def _normal(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return thumbnails as rows with mean 0 and length 1; float32, shape (n, pixels)."""
    vectors = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    # A thumbnail of one single grey has no correlation with anything.
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors


def _rest(thumbnails: NDArray[np.uint8], common: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the common part leaves of thumbnails, as rows of length 1 or less."""
    vectors = _normal(thumbnails)
    vectors -= vectors @ common.T @ common
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _LEAST_REST)
    return vectors
