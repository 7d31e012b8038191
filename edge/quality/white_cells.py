"""How much of a field is white cell, and how large the cells are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.quality.reduced import CORNER, KEPT

#: How much redder, bluer and darker than the glass a white cell is at least, in steps of OpenCV's
#: 8-bit LAB. Red cells are less red than that where the stain leaves them grey, and not blue where
#: it leaves them pink.
_REDDER = 15
_BLUER = 4
_DARKER = 10

#: What is narrower, in pixels of the reduced field, is a platelet or a speck of dye.
_NARROWEST = 3

_OPENING = np.ones((_NARROWEST, _NARROWEST), np.uint8)


def measure_white_cells(
    lab: NDArray[np.uint8], glass: tuple[float, float, float]
) -> tuple[float, float]:
    """Find white cells by their purple colour against the glass.

    Their size comes from the mean chord, the mean length of the runs of pixels along rows and
    columns, which for a disc is pi / 4 of its diameter (Underwood, "Quantitative Stereology",
    1970): it needs no cell told from its neighbour. Cells that touch count as wider than they are.

    Args:
        lab: the reduced field in OpenCV's 8-bit LAB; uint8, shape (REDUCED_SIDE, REDUCED_SIDE, 3).
        glass: the glass's colour in the same space.

    Returns:
        Share of the field that is white cell in 0..1, and the diameter of discs with the same mean
        chord, in pixels of the reduced field; 0 where there are none.
    """
    lightness, green_red, blue_yellow = (round(value) for value in glass)
    least_red = min(green_red + _REDDER, 255)
    lightest, least_blue = max(lightness - _DARKER, 0), max(blue_yellow - _BLUER, 0)
    mask = cv2.inRange(lab, (0, least_red, 0), (lightest, 255, least_blue))
    mask[CORNER:, CORNER:] = 0
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _OPENING), np.uint8)
    area = int(np.count_nonzero(mask))
    if area == 0:
        return 0.0, 0.0
    along_rows = np.count_nonzero(mask[:, 1:] > mask[:, :-1]) + np.count_nonzero(mask[:, 0])
    along_columns = np.count_nonzero(mask[1:] > mask[:-1]) + np.count_nonzero(mask[0])
    chord = 2 * area / (int(along_rows) + int(along_columns))
    return area / KEPT, chord * 4.0 / np.pi
