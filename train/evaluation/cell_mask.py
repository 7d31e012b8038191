"""Where white cells surely are in a field of view."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.audit.white_cells import white_cell_mask

#: How much bluer than the field's median a white cell is at least, in steps of OpenCV's 8-bit b*.
LEAST_BLUENESS = 8

#: Diameter of the smallest thing that counts as a cell, as a share of the image's height: 7 of 224
#: pixels, where a white cell has 20 or more, a platelet or a speck of dye 5 or less.
LEAST_DIAMETER = 7 / 224


def sure_cell_mask(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark what is a white cell for certain.

    `train.audit.white_cells.white_cell_mask` marks whatever may be one, so that a background is
    free of them. Here red cells that a stain leaves pink are taken out, which are red but not
    blue (b* of CIE LAB), and what is too small for a cell, by a morphological opening.

    Args:
        image: RGB, uint8, shape (height, width, 3).

    Returns:
        True on white cells; shape (height, width).
    """
    blueness = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 2], (5, 5), 0)
    is_blue = blueness <= float(np.median(blueness)) - LEAST_BLUENESS
    mask = (white_cell_mask(image) & is_blue).astype(np.uint8)
    side = max(1, round(LEAST_DIAMETER * image.shape[0]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened: NDArray[np.bool_] = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel) > 0
    return opened
