"""A single cell on black, cut out around its middle.

Sets of single cells, such as C-NMC 2019, show each on black in a frame much larger than the cell.
What a network sees is a square around the cell's middle, always of the same size: a malignant cell
is larger than a healthy one, and scaling each to the same size would hide that.

All of it is whole numbers, so that it comes out the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The brightest channel of a pixel that still counts as black. Cells of C-NMC 2019 have a few such
#: pixels at their rims; the black around them is 0 in its files and below this in copies as JPEG.
BLACK = 16


@dataclass(frozen=True, slots=True)
class CellCrop:
    """How large the square around a cell is.

    Attributes:
        side: of the square, in pixels of a frame whose shorter side is `frame`; at most `frame`.
        frame: in pixels; in frames of another size the square grows and shrinks with them.
    """

    side: int
    frame: int

    def as_json(self) -> dict[str, int]:
        """Return both as a model's card and a run's configuration have them."""
        return {"side": self.side, "frame": self.frame}


def read_cell_crop(section: Mapping[str, int] | None) -> CellCrop | None:
    """Read what `CellCrop.as_json` returned; None stays None."""
    return None if section is None else CellCrop(int(section["side"]), int(section["frame"]))


def cut_cell(frame: NDArray[np.uint8], crop: CellCrop) -> NDArray[np.uint8]:
    """Cut out the square around a cell.

    The middle is the mean place of all pixels that are not black. A frame without black, such as a
    whole field, is cut around its own middle, and so is one that is all black.

    Args:
        frame: one cell on black; RGB, uint8, shape (height, width, 3).
        crop: the square's size.

    Returns:
        RGB, uint8, shape (side, side, 3), in the frame's own pixels; black where the square
        reaches beyond the frame. Never a view of the frame.
    """
    rows, columns = frame.shape[:2]
    side = max(1, min(rows, columns) * crop.side // crop.frame)
    is_cell = frame.max(axis=2) > BLACK
    top = _middle(np.count_nonzero(is_cell, axis=1)) - side // 2
    left = _middle(np.count_nonzero(is_cell, axis=0)) - side // 2
    y0, y1 = max(0, top), min(rows, top + side)
    x0, x1 = max(0, left), min(columns, left + side)
    square = np.zeros((side, side, 3), np.uint8)
    square[y0 - top : y1 - top, x0 - left : x1 - left] = frame[y0:y1, x0:x1]
    return square


def _middle(counts: NDArray[np.int64]) -> int:
    """Return the mean place of what was counted at each place, rounded down."""
    total = int(counts.sum())
    if total == 0:
        return len(counts) // 2
    places = np.arange(len(counts), dtype=np.int64)
    return int(counts.astype(np.int64) @ places) // total
