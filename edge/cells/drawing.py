"""A field with its white cells drawn in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.cell import WhiteCell
from edge.preprocess import check_frame

_OUTLINE: Final = (0, 150, 60)
_BOX: Final = (20, 20, 20)
_HALO: Final = (255, 255, 255)

#: Smaller fields are enlarged until their shorter side has this many pixels, but not further than
#: the factor, so that captions can be read.
_READABLE_SIDE: Final = 480
_MOST_ENLARGED: Final = 4


def draw_cells(
    frame: NDArray[np.uint8], cells: Sequence[WhiteCell], captions: Sequence[str] | None = None
) -> NDArray[np.uint8]:
    """Draw the outlines and boxes of white cells over their field.

    Args:
        frame: RGB, uint8, shape (height, width, 3).
        cells: what was found in it.
        captions: what to write at each cell; None writes its number and score.

    Returns:
        RGB, uint8; the frame's shape times a whole number from 1 to 4, with which small fields
        are enlarged.

    Raises:
        FrameError: not an RGB uint8 frame.
    """
    check_frame(frame)
    shorter = min(frame.shape[:2])
    factor = min(_MOST_ENLARGED, math.ceil(_READABLE_SIDE / shorter))
    picture = frame.repeat(factor, axis=0).repeat(factor, axis=1)
    unit = max(1, round(min(picture.shape[:2]) / 480))
    if captions is None:
        captions = [f"{number} {cell.score:.2f}" for number, cell in enumerate(cells, start=1)]
    for cell in cells:
        xmin, ymin, xmax, ymax = (factor * side for side in cell.box)
        mask = cell.mask.astype(np.uint8).repeat(factor, axis=0).repeat(factor, axis=1)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, _OUTLINE, 2 * unit, offset=(xmin, ymin))
        cv2.rectangle(picture, (xmin, ymin), (xmax - 1, ymax - 1), _BOX, unit)
    # Last, so that no outline crosses a caption.
    for cell, caption in zip(cells, captions, strict=True):
        _write(picture, caption, factor * cell.box[0], factor * cell.box[1], unit)
    return picture


def _write(picture: NDArray[np.uint8], text: str, left: int, top: int, unit: int) -> None:
    """Write above a point, or where there is no room, below it; and never beyond the right."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.45 * unit
    (width, height), _ = cv2.getTextSize(text, font, size, unit)
    left = max(0, min(left, picture.shape[1] - width - 2 * unit))
    base = top - 4 * unit if top > height + 6 * unit else top + height + 5 * unit
    for colour, thickness in ((_HALO, 4 * unit), (_BOX, unit)):
        cv2.putText(picture, text, (left, base), font, size, colour, thickness, cv2.LINE_AA)
