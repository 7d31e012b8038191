"""Many small pictures with captions on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from edge.output import whole_file

_WRONG, _RIGHT = "#b3261e", "#2b2138"

#: Inches: the height of a tile, of one line of its caption, and the gap between tiles.
_TILE, _LINE, _GAP = 1.75, 0.15, 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture of a sheet.

    Attributes:
        picture: RGB, uint8, shape (any height, any width, 3); all of one sheet have one shape.
        caption: one line or more.
        is_wrong: whether the caption is red.
    """

    picture: NDArray[np.uint8]
    caption: str
    is_wrong: bool


def draw_contact_sheet(path: Path, tiles: Sequence[Tile], columns: int) -> None:
    """Draw tiles row by row as PNG.

    Args:
        path: the PNG file.
        tiles: one or more.
        columns: tiles in a row.

    Raises:
        OutputError: the picture cannot be written.
    """
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].picture.shape[:2]
    lines = max(tile.caption.count("\n") + 1 for tile in tiles)
    across = _TILE * width / height
    step_x, step_y = across + _GAP, _TILE + lines * _LINE + _GAP
    total_x, total_y = columns * step_x, rows * step_y
    figure = Figure(figsize=(total_x, total_y))
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        left, bottom = column * step_x + _GAP / 2, total_y - (row + 1) * step_y + _GAP / 2
        place = (left / total_x, bottom / total_y, across / total_x, _TILE / total_y)
        axes = figure.add_axes(place)
        axes.axis("off")
        axes.imshow(tile.picture, aspect="auto")
        # A dollar sign would begin a formula.
        caption = tile.caption.replace("$", r"\$")
        colour = _WRONG if tile.is_wrong else _RIGHT
        axes.set_title(caption, color=colour, fontsize=8, pad=2)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
