"""The slide as maps of stain: what lies where, before any light passes through it.

Things on a slide absorb light one after the other, so their absorbances add (Beer-Lambert); a
canvas therefore holds sums of concentrations, and overlapping cells look translucent by themselves.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.smear.morphology import Morphology

FloatMap = NDArray[np.float32]

#: Pixels per micrometre on a field 224 pixels high: a red cell of 7.2 um spans 17 pixels there, as
#: in the images of Aria et al. (DOI 10.34740/KAGGLE/DSV/2175623).
PIXELS_PER_UM_AT_224: Final = 2.4

#: Indices of the stain maps.
CHROMATIN: Final = 0
CYTOPLASM: Final = 1
HAEMOGLOBIN: Final = 2
GRANULES: Final = 3
STAINS: Final = 4


class Canvas:
    """Stain concentrations over a field and a margin around it.

    Args:
        height: of the field, in pixels.
        width: of the field, in pixels.

    Attributes:
        pixels_per_um: the scale; proportional to the height.
        margin: width of the border in pixels, so that cells can lie half outside.
        maps: float32, shape (4, height + 2 margin, width + 2 margin), concentrations from 0.
        covered: float32, one such map: how much white cells displace red ones, 0 to 1.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self.pixels_per_um = PIXELS_PER_UM_AT_224 * height / 224.0
        self.margin = round(13.0 * self.pixels_per_um) + 4
        shape = (height + 2 * self.margin, width + 2 * self.margin)
        self.maps: FloatMap = np.zeros((STAINS, *shape), np.float32)
        self.covered: FloatMap = np.zeros(shape, np.float32)

    @property
    def squares(self) -> float:
        """The field's area in squares as high as the field; cell numbers scale with it."""
        return self.width / self.height

    def window(
        self, x: float, y: float, half_um: float
    ) -> tuple[tuple[slice, slice], FloatMap, FloatMap] | None:
        """Cut a square window around a point.

        Args:
            x: column of the point in the field, in pixels; may lie outside it.
            y: row of the point in the field, in pixels.
            half_um: half the window's side in micrometres.

        Returns:
            The slices (rows, columns) into a map, and the offsets from the point in micrometres:
            a row vector of x and a column vector of y, float32. None where the window falls
            outside the canvas altogether.
        """
        column, row = x + self.margin, y + self.margin
        half = half_um * self.pixels_per_um
        top = max(0, int(row - half))
        left = max(0, int(column - half))
        bottom = min(self.covered.shape[0], int(row + half) + 2)
        right = min(self.covered.shape[1], int(column + half) + 2)
        if bottom <= top or right <= left:
            return None
        dx = (np.arange(left, right, dtype=np.float32) - np.float32(column))[None, :]
        dy = (np.arange(top, bottom, dtype=np.float32) - np.float32(row))[:, None]
        per_pixel = np.float32(1.0 / self.pixels_per_um)
        return (slice(top, bottom), slice(left, right)), dx * per_pixel, dy * per_pixel

    def stain(self, index: int) -> FloatMap:
        """Return one stain's map over the field without its margin, a view.

        Args:
            index: CHROMATIN, CYTOPLASM, HAEMOGLOBIN or GRANULES.
        """
        margin = self.margin
        return self.maps[index, margin : margin + self.height, margin : margin + self.width]


def smooth_disc(radius_um: FloatMap, outline_um: FloatMap | float, edge_um: float) -> FloatMap:
    """Return 1 inside an outline and 0 outside, with a soft edge.

    Args:
        radius_um: distance of each pixel from the centre, in micrometres.
        outline_um: distance of the outline from the centre, for each pixel or for all.
        edge_um: width of the edge in micrometres.

    Returns:
        float32 of the same shape, 0 to 1.
    """
    level = (outline_um - radius_um) * np.float32(1.0 / edge_um) + np.float32(0.5)
    clipped: FloatMap = np.clip(level, 0.0, 1.0).astype(np.float32, copy=False)
    return clipped


def expected_absorbance(morphology: Morphology) -> float:
    """Return a cell's mean chromatin concentration times its nuclear area, in square um.

    Args:
        morphology: the kind of cell.
    """
    square_um = morphology.nucleus_diameter_um**2 + morphology.nucleus_diameter_sd_um**2
    return morphology.chromatin_density * square_um * float(np.pi) / 4.0
