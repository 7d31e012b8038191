"""Real fields without their white cells."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.audit.white_cells import white_cell_mask

#: Side of the smallest place that is worth repeating, as a share of the image's height.
_LEAST_SIDE = 0.25

#: How far around a white cell nothing is taken, as a share of the image's height.
_RIM = 3 / 224

#: The corner in which a scale bar may lie, as a share of each side.
_CORNER = 0.25


def without_white_cells(image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Fill a field with the largest square place in it that holds no white cell, mirrored.

    Glass, red cells, platelets and dye stay as they were, in size, focus and colour.

    Args:
        image: RGB, uint8, shape (height, width, 3).

    Returns:
        RGB, uint8, of the same shape; None where no such place is as large as a sixteenth of it.
    """
    height, width = image.shape[:2]
    rim = 2 * max(1, round(_RIM * height)) + 1
    taken = cv2.dilate(white_cell_mask(image).astype(np.uint8), np.ones((rim, rim), np.uint8))
    taken[round((1 - _CORNER) * height) :, round((1 - _CORNER) * width) :] = 1
    free = cv2.copyMakeBorder(1 - taken, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[0])
    reach = cv2.distanceTransform(free, cv2.DIST_C, 3)
    row, column = np.unravel_index(int(reach.argmax()), reach.shape)
    most = int(reach[row, column]) - 1
    if 2 * most + 1 < _LEAST_SIDE * height:
        return None
    top, left = int(row) - 1 - most, int(column) - 1 - most
    place = image[top : top + 2 * most + 1, left : left + 2 * most + 1]
    pair = np.concatenate((place, place[:, ::-1]), axis=1)
    tile = np.concatenate((pair, pair[::-1]), axis=0)
    times = -(-max(height, width) // tile.shape[0])
    return np.tile(tile, (times, times, 1))[:height, :width].copy()
