"""Random patterns of a given grain: chromatin, granules, ragged edges."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edge.smear.canvas import FloatMap

_SIDE_UM: Final = 44.0


class TextureBank:
    """One field's sheets of band-limited noise, made when first asked for.

    Args:
        rng: the source of randomness.
        pixels_per_um: the field's scale.
    """

    def __init__(self, rng: np.random.Generator, pixels_per_um: float) -> None:
        self._rng = rng
        self._scale = pixels_per_um
        self._sheets: dict[float, FloatMap] = {}

    def sheet(self, grain_um: float) -> FloatMap:
        """Return the sheet of one grain.

        Args:
            grain_um: distance between the pattern's free values in micrometres.

        Returns:
            float32, square, mean about 0 and standard deviation about 1.
        """
        known = self._sheets.get(grain_um)
        if known is not None:
            return known
        side = round(_SIDE_UM * self._scale)
        cells = max(4, min(side, round(_SIDE_UM / grain_um)))
        noise = self._rng.standard_normal((cells, cells), dtype=np.float32)
        # Cubic interpolation keeps about three quarters of the variance in each direction.
        sheet = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) * np.float32(1.35)
        self._sheets[grain_um] = sheet.astype(np.float32, copy=False)
        return self._sheets[grain_um]

    def cut(self, rng: np.random.Generator, shape: tuple[int, ...], grain_um: float) -> FloatMap:
        """Cut a piece at a random place.

        Args:
            rng: the source of randomness.
            shape: height and width in pixels, at most 44 micrometres each.
            grain_um: as for `sheet`.

        Returns:
            float32 of the given shape, a view: do not write to it.
        """
        sheet = self.sheet(grain_um)
        top = int(rng.integers(0, max(1, sheet.shape[0] - shape[0])))
        left = int(rng.integers(0, max(1, sheet.shape[1] - shape[1])))
        return sheet[top : top + shape[0], left : left + shape[1]]
