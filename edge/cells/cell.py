"""One white cell in a field of view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class WhiteCell:
    """Where a white cell is.

    Attributes:
        box: xmin, ymin, xmax, ymax in pixels of the field, from its top left corner; the last
            column and row of the cell are xmax - 1 and ymax - 1, as in a slice.
        mask: True on the cell, cytoplasm included; shape (ymax - ymin, xmax - xmin).
        score: how much of a white cell it is, in [0, 1]: the amount of nuclear stain against the
            field's typical nucleus, times the nucleus's area against a red cell's, each at most
            1. It ranks cells of a field, and is no probability.
    """

    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    score: float

    @property
    def area(self) -> int:
        """Return the number of pixels of the field that the cell covers."""
        return int(np.count_nonzero(self.mask))

    def as_json(self) -> dict[str, Any]:
        """Return the box, area and score."""
        return {"box": list(self.box), "area": self.area, "score": round(self.score, 4)}
