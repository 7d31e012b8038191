"""From a field of view to its white cells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.cell import WhiteCell
from edge.cells.red_cells import red_cell_diameter
from edge.cells.separation import separate
from edge.cells.shapes import disc, opened, reduced, without_holes
from edge.cells.stain import nuclear_stain, nuclei
from edge.errors import BlastscopeError
from edge.preprocess import check_frame

# Lengths are in red-cell diameters, areas in red-cell areas. All were set on the development half
# of the BCCD set, and looked at on fields of other scales and stains.

#: Diameter in pixels that red cells are reduced to before cells are sought.
_WORKING_DIAMETER: Final = 28.0

#: Least diameter in pixels: with smaller red cells, white cells are but a few pixels wide.
LEAST_DIAMETER: Final = 6.0

#: Radius of the disc that fits into a nucleus, but not into the rim of a red cell.
_NUCLEUS_RADIUS: Final = 0.09

#: Least nuclear stain of a nucleus, where the field's median nucleus has 1; smudged cells have 0.6.
_LEAST_NUCLEAR_STAIN: Final = 0.5

#: If less than this share of what is purple has so much, the field's colours are taken anew.
_SURE_ENOUGH: Final = 0.8

#: Least nuclear stain of cytoplasm, where the field's median nucleus has 1.
_LEAST_STAIN: Final = 0.12

#: Farthest that cytoplasm reaches beyond the nucleus.
_CYTOPLASM_REACH: Final = 0.4

#: Radius of the disc that the lobes of one nucleus are joined with.
_LOBE_GAP: Final = 0.1

#: Radius of the disc that fits into any white cell.
_CELL_RADIUS: Final = 0.17

#: Largest hole in a white cell, in squared red-cell diameters.
_LARGEST_HOLE: Final = 0.4

#: Least area of a white cell and of its nucleus; platelets are below it.
_LEAST_AREA: Final = 0.28
_LEAST_NUCLEUS: Final = 0.3


def find_white_cells(frame: NDArray[np.uint8], diameter: float | None = None) -> list[WhiteCell]:
    """Find the white cells of a Romanowsky-stained field.

    All lengths go by the red cells, so that the field may be of any magnification. Purple nuclei
    are marked first (`edge.cells.stain.nuclei`); the cytoplasm is what around them holds nuclear
    stain, by a colour deconvolution with the field's own colours; touching cells are parted at
    their necks. The work is done on a reduced field, so its time goes by the number of cells
    rather than by the number of pixels.

    Smudged white cells are found as well, at a lower score where the field has whole ones too.

    Args:
        frame: RGB, uint8, shape (height, width, 3).
        diameter: of a red cell in pixels of the frame; None estimates it
            (`edge.cells.red_cells.red_cell_diameter`).

    Returns:
        The cells, the highest score first; none where there are no cells, and none where red
        cells are estimated to be smaller than `LEAST_DIAMETER`.

    Raises:
        FrameError: not an RGB uint8 frame.
        BlastscopeError: a diameter below `LEAST_DIAMETER`.
    """
    check_frame(frame)
    if diameter is None:
        diameter = red_cell_diameter(frame)
    elif not (math.isfinite(diameter) and diameter >= LEAST_DIAMETER):
        raise BlastscopeError(
            f"A red cell's diameter is {LEAST_DIAMETER:g} pixels or more",
            got=diameter,
            next_step="Measure one in the image, or leave it out to have it estimated",
        )
    if diameter < LEAST_DIAMETER:
        return []
    scale = min(1.0, _WORKING_DIAMETER / diameter)
    image = reduced(frame, scale)
    diameter *= scale
    nucleus = opened(nuclei(image), _NUCLEUS_RADIUS * diameter)
    if not nucleus.any():
        return []
    stain = nuclear_stain(image, nucleus, diameter)
    # Where a stain leaves red cells blue, some pass for nuclei until the field's colours are known.
    surely = nucleus & (stain > _LEAST_NUCLEAR_STAIN)
    if 0 < np.count_nonzero(surely) < _SURE_ENOUGH * np.count_nonzero(nucleus):
        nucleus = np.asarray(surely, np.uint8)
        stain = nuclear_stain(image, nucleus, diameter)
    mask = _cell_mask(nucleus, stain, diameter)
    cells = [
        _full_size(part, left, top, score, image.shape[:2], frame.shape[:2])
        for part, left, top, score in _cells(mask, nucleus, stain, diameter)
    ]
    return sorted((cell for cell in cells if cell is not None), key=lambda cell: -cell.score)


def _cell_mask(
    nucleus: NDArray[np.uint8], stain: NDArray[np.float32], diameter: float
) -> NDArray[np.uint8]:
    """Mark nuclei with their cytoplasm; 0 and 1."""
    mask = opened((stain > _LEAST_STAIN).astype(np.uint8) | nucleus, _NUCLEUS_RADIUS * diameter)
    reach = cv2.dilate(nucleus, disc(_CYTOPLASM_REACH * diameter))
    mask = np.asarray(cv2.bitwise_and(mask | nucleus, reach), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_LOBE_GAP * diameter)), np.uint8)
    mask = without_holes(mask, _LARGEST_HOLE * diameter**2)
    return opened(mask, _CELL_RADIUS * diameter)


def _cells(
    mask: NDArray[np.uint8],
    nucleus: NDArray[np.uint8],
    stain: NDArray[np.float32],
    diameter: float,
) -> Iterator[tuple[NDArray[np.uint8], int, int, float]]:
    """Yield the mask of each cell, where its left top corner is, and its score."""
    red_area = math.pi / 4 * diameter**2
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    regions = np.nonzero(stats[1:, cv2.CC_STAT_AREA] >= _LEAST_AREA * red_area)[0] + 1
    for region in regions:
        left, top, columns, rows = (int(value) for value in stats[region, :4])
        place = slice(top, top + rows), slice(left, left + columns)
        alone = (labels[place] == region).astype(np.uint8)
        for part in separate(alone, stain[place], diameter):
            x, y, w, h = cv2.boundingRect(part)
            inside = (part & nucleus[place]) > 0
            nuclear_area = np.count_nonzero(inside) / red_area
            area = np.count_nonzero(part) / red_area
            if area < _LEAST_AREA or nuclear_area < _LEAST_NUCLEUS:
                continue
            depth = float(np.clip(stain[place][inside].mean(), 0.0, 1.0))
            if depth < _LEAST_NUCLEAR_STAIN:
                continue
            score = depth * min(1.0, float(nuclear_area))
            yield part[y : y + h, x : x + w], left + x, top + y, score


def _full_size(
    part: NDArray[np.uint8],
    left: int,
    top: int,
    score: float,
    small: tuple[int, ...],
    full: tuple[int, ...],
) -> WhiteCell | None:
    """Bring a cell from the reduced image, whose shape is `small`, to the frame's pixels."""
    across, down = full[1] / small[1], full[0] / small[0]
    height, width = part.shape
    xmin, xmax = round(left * across), round((left + width) * across)
    ymin, ymax = round(top * down), round((top + height) * down)
    if across == 1.0 and down == 1.0:
        return WhiteCell((xmin, ymin, xmax, ymax), part > 0, score)
    smooth = cv2.resize(part * np.uint8(255), (xmax - xmin, ymax - ymin))
    return WhiteCell((xmin, ymin, xmax, ymax), np.asarray(smooth > 127, np.bool_), score)
