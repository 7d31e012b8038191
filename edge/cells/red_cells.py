"""How large cells are in a field: the diameter of its red cells."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.shapes import disc, opened, otsu, reduced, without_holes
from edge.cells.stain import nuclei
from edge.preprocess import check_frame

#: Longer side in pixels at which the diameter is sought first, and the largest that is tried
#: where red cells are too small at that: their diameter has to come to _FINE_ENOUGH there.
_FIRST_SIDE: Final = 320
_LAST_SIDE: Final = 1280
_FINE_ENOUGH: Final = 9.0

#: Below this share of the field, red cells give no diameter, and white cells are taken instead.
_FEWEST_RED: Final = 0.03

#: Red cells have a pale middle: the largest hole that is filled, as a share of the field.
_LARGEST_HOLE: Final = 0.01

#: Purple that is thicker than this many pixels counts as a white cell here.
_WHITE_RADIUS: Final = 3

#: Halvings of the range in which the radius is sought.
_STEPS: Final = 7

#: A red cell's diameter against that of the disc at which half of the red-cell area is gone:
#: outlines are seldom perfect circles. Median over the BCCD set's development half.
_OUTLINE: Final = 1.22


def red_cell_diameter(frame: NDArray[np.uint8]) -> float:
    """Estimate the diameter of a field's red cells, which are 7 to 8 um in life.

    By granulometry (Matheron, "Random Sets and Integral Geometry", 1975; Serra, "Image Analysis
    and Mathematical Morphology", 1982): the mask of red cells is opened with growing discs, and
    the disc that leaves half of its area tells the size. White cells are left out of the mask.
    Where there are next to no red cells, white cells give the diameter.

    Args:
        frame: RGB, uint8, shape (height, width, 3).

    Returns:
        The diameter in pixels of the frame; at least 2, also where there are no cells at all.

    Raises:
        FrameError: not an RGB uint8 frame.
    """
    check_frame(frame)
    longer = max(frame.shape[:2])
    side = _FIRST_SIDE
    while True:
        scale = min(1.0, side / longer)
        diameter = _diameter(reduced(frame, scale))
        if diameter >= _FINE_ENOUGH or scale >= 1.0 or side >= _LAST_SIDE:
            return float(max(2.0, diameter / scale))
        side *= 2


def _diameter(image: NDArray[np.uint8]) -> float:
    green = np.asarray(cv2.GaussianBlur(image[..., 1], (3, 3), 0), np.uint8)
    cells = (green <= otsu(green)).astype(np.uint8)
    cells = without_holes(cells, _LARGEST_HOLE * cells.size)
    white = cv2.dilate(opened(nuclei(image), _WHITE_RADIUS), disc(_WHITE_RADIUS))
    red = np.where(white > 0, 0, cells).astype(np.uint8)
    if np.count_nonzero(red) < _FEWEST_RED * red.size:
        red = cells
    inside = cv2.distanceTransform(red, cv2.DIST_L2, 3)
    half = np.count_nonzero(red) / 2
    low, high = 1.0, max(1.0, min(float(inside.max()), min(red.shape) / 2))
    for _ in range(_STEPS):
        radius = (low + high) / 2
        # Opening by a disc: what lies within the radius of a pixel that far inside the mask.
        outside_core = (inside <= radius).astype(np.uint8)
        left = 0
        if not outside_core.all():
            near_core = cv2.distanceTransform(outside_core, cv2.DIST_L2, 3) <= radius
            left = int(np.count_nonzero(near_core & (red > 0)))
        if left > half:
            low = radius
        else:
            high = radius
    return float(low + high) * _OUTLINE
