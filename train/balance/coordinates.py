"""Few coordinates that keep the distances between images of many pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: How many pixel values are turned to float at a time.
_BLOCK = 8192


def pixel_coordinates(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Place n images in at most n dimensions, with the distances of their pixels.

    Any n points span n dimensions at most; these are found by the eigenvectors of the matrix of
    inner products (classical scaling: Torgerson, Psychometrika 17, 1952). SMOTE over 224 x 224 x 3
    pixels takes gigabytes; over these coordinates it draws the same examples.

    Args:
        images: uint8, shape (n, ...).

    Returns:
        float32, shape (n, n); distances in grey levels.
    """
    flat = images.reshape(len(images), -1)
    products = np.zeros((len(flat), len(flat)), np.float64)
    for start in range(0, flat.shape[1], _BLOCK):
        block = flat[:, start : start + _BLOCK].astype(np.float32) - np.float32(127.5)
        products += block @ block.T
    values, vectors = np.linalg.eigh(products)
    return np.asarray(vectors * np.sqrt(values.clip(0.0)), np.float32)
