"""The bottom right corner, where the all4 set has scale bars burned in.

Three styles of bar go with the classes, so that a network can read the class there instead of in
the cells, and a camera's frame has no bar at all. Over all 2,566 images at 224 x 224 pixels the
bars, with the ringing that JPEG left around them, lie within 32 x 32 pixels of the corner; the
corner here is the 48 x 34 pixels that the set's own notes give, which leaves a margin for images
that were resized.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError

#: Share of the image's height and width that the corner takes: 34 x 48 of 224 x 224 pixels.
CORNER_HEIGHT = 34 / 224
CORNER_WIDTH = 48 / 224

#: Width in shares of the corner over which the two mirror images are blended.
_BLEND = 0.04


def corner_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width in pixels of the corner of an image of this size."""
    return math.ceil(CORNER_HEIGHT * height), math.ceil(CORNER_WIDTH * width)


def blank_corner(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the images with their corner filled from what lies beside it.

    What is above the corner and what is left of it are mirrored into it, each up to the diagonal
    and blended along it: the edges run on without a seam, and what fills the corner is background
    and cells of the same image.

    Args:
        images: RGB, uint8, shape (n, height, width, 3).

    Returns:
        RGB, uint8, of the same shape; outside the corner not a byte differs.
    """
    high, wide = corner_size(*images.shape[1:3])
    above = images[:, -2 * high : -high, -wide:][:, ::-1].astype(np.float32)
    beside = images[:, -high:, -2 * wide : -wide][:, :, ::-1].astype(np.float32)
    down, right = np.mgrid[0:high, 0:wide].astype(np.float32)
    share = 1.0 / (1.0 + np.exp((down / high - right / wide) / _BLEND))[..., None]
    blanked = images.copy()
    blanked[:, -high:, -wide:] = np.rint(share * above + (1.0 - share) * beside).astype(np.uint8)
    return blanked


def swap_corner(
    images: NDArray[np.uint8], targets: NDArray[np.int64], seed: int
) -> NDArray[np.uint8]:
    """Return the images, each with the corner of a random image of another class.

    Args:
        images: RGB, uint8, shape (n, height, width, 3).
        targets: each image's class; int64, shape (n,).
        seed: of the choice.

    Returns:
        RGB, uint8, of the same shape; outside the corner not a byte differs.

    Raises:
        DatasetError: all images are of one class.
    """
    if len(np.unique(targets)) < 2:
        raise DatasetError(
            "Corners are swapped between classes, so there must be two or more",
            got=f"{len(images)} images of one class",
            next_step="Add images of another class",
        )
    generator = np.random.default_rng(seed)
    donors = np.empty(len(images), np.int64)
    for target in np.unique(targets):
        takers = np.flatnonzero(targets == target)
        donors[takers] = generator.choice(np.flatnonzero(targets != target), len(takers))
    high, wide = corner_size(*images.shape[1:3])
    swapped = images.copy()
    swapped[:, -high:, -wide:] = images[donors, -high:, -wide:]
    return swapped
