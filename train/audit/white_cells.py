"""Where white cells are in a field of view, by colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: How much redder than the field's median a white cell is at least, in steps of OpenCV's 8-bit a*.
#: The median is that of glass and red cells, which cover most of a field.
LEAST_REDNESS = 8

#: Side in pixels of the blur that joins the grains of a stained nucleus.
_BLUR_SIDE = 5


def white_cell_mask(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark the white cells of a Romanowsky-stained field.

    Nuclei and blast cytoplasm are purple, so they stand out in a* (green to red) of CIE LAB;
    glass and red cells lie close together there. The threshold is Otsu's ("A Threshold Selection
    Method from Gray-Level Histograms", IEEE Trans. SMC 9, 1979), and never less than
    `LEAST_REDNESS` above the field's median: a field without white cells has none marked.

    Args:
        image: RGB, uint8, shape (height, width, 3).

    Returns:
        True on white cells; shape (height, width).
    """
    redness = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 1]
    redness = cv2.GaussianBlur(redness, (_BLUR_SIDE, _BLUR_SIDE), 0)
    threshold, _ = cv2.threshold(redness, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask: NDArray[np.bool_] = redness > max(threshold, float(np.median(redness)) + LEAST_REDNESS)
    return mask


def background_mask(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark what is not white cell, without the rim where a cell's colour bleeds into its surround.

    Args:
        image: RGB, uint8, shape (height, width, 3).

    Returns:
        True on glass and red cells; shape (height, width).
    """
    rim = max(1, round(image.shape[0] * 3 / 224))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    grown = cv2.dilate(white_cell_mask(image).astype(np.uint8), kernel)
    background: NDArray[np.bool_] = grown == 0
    return background
