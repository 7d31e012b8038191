"""A white cell by itself, for a model that looks at single cells."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.cells.cell import WhiteCell
from edge.errors import BlastscopeError
from edge.preprocess import check_frame

#: Side of a crop against its cell's longer side, as in the C-NMC 2019 set: 450 pixels, where the
#: median cell measures 212.
CROP_MARGIN: Final = 2.1


def crop_cell(
    frame: NDArray[np.uint8],
    cell: WhiteCell,
    *,
    side: int | None = None,
    masked: bool = True,
) -> NDArray[np.uint8]:
    """Cut a white cell out, in the middle of a square.

    Args:
        frame: the field that the cell was found in; RGB, uint8, shape (height, width, 3).
        cell: the cell.
        side: of the square in pixels of the frame; None makes it `CROP_MARGIN` times the cell's
            longer side, so that all cells come out alike in size. A fixed side keeps their sizes
            apart, which a model has to be trained with as well.
        masked: whether all but the cell is black, as in the C-NMC 2019 set. What lies beyond the
            field is black in any case.

    Returns:
        RGB, uint8, shape (side, side, 3); never a view of the frame.

    Raises:
        FrameError: not an RGB uint8 frame.
        BlastscopeError: the cell lies beyond the frame, or the side is below 1.
    """
    check_frame(frame)
    xmin, ymin, xmax, ymax = cell.box
    if not (0 <= xmin < xmax <= frame.shape[1] and 0 <= ymin < ymax <= frame.shape[0]):
        raise BlastscopeError(
            f"A cell lies inside its field of {frame.shape[1]} x {frame.shape[0]} pixels",
            got=f"a box of {xmin}, {ymin}, {xmax}, {ymax}",
            next_step="Give the frame that the cell was found in",
        )
    if side is None:
        side = math.ceil(CROP_MARGIN * max(xmax - xmin, ymax - ymin))
    if side < 1:
        raise BlastscopeError(
            "A crop's side is 1 pixel or more", got=side, next_step="Give a larger side"
        )
    left, top = (xmin + xmax - side) // 2, (ymin + ymax - side) // 2
    # What is shown of the field: of the whole field or of the cell's box, what the square holds.
    shown = cell.box if masked else (0, 0, frame.shape[1], frame.shape[0])
    x0, x1 = max(shown[0], left), min(shown[2], left + side)
    y0, y1 = max(shown[1], top), min(shown[3], top + side)
    pixels = frame[y0:y1, x0:x1]
    if masked:
        pixels = pixels * cell.mask[y0 - ymin : y1 - ymin, x0 - xmin : x1 - xmin, None]
    crop = np.zeros((side, side, 3), np.uint8)
    crop[y0 - top : y1 - top, x0 - left : x1 - left] = pixels
    return crop
