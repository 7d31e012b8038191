"""White cells in a field of view: where they are, their outlines, and crops of them.

Example:
    >>> from edge import find_white_cells, read_image
    >>> for cell in find_white_cells(read_image("field.jpg")):
    ...     print(cell.box, cell.area, cell.score)
"""

from __future__ import annotations

from edge.cells.cell import WhiteCell
from edge.cells.crop import crop_cell
from edge.cells.drawing import draw_cells
from edge.cells.finder import find_white_cells
from edge.cells.red_cells import red_cell_diameter

__all__ = ["WhiteCell", "crop_cell", "draw_cells", "find_white_cells", "red_cell_diameter"]
