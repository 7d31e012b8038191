"""What an image's colours tell of its staining and its acquisition."""

from __future__ import annotations

from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.preprocess import preprocess

#: Length of the vector that `measure_look` returns.
LOOK_SIZE = 15

#: Side in pixels of the square that scale bars and colours are measured on.
LOOK_SIDE = 224

#: Where a scale bar may be: the last rows and columns of that square.
_BAR_ROWS, _BAR_COLUMNS = 34, 48

#: Pixels that make a colour's median worth taking.
_ENOUGH = 20


class ScaleBar(IntEnum):
    """How a scale bar was burned into the bottom right corner."""

    NONE = 0
    SMALL_BOX = 1
    RED_TEXT = 2
    LARGE_BOX = 3


def find_scale_bar(frame: NDArray[np.uint8]) -> ScaleBar:
    """Tell the style of a scale bar by its ink.

    Stained cells are neither as black (all channels below 60) nor as red (red above both others
    by more than 50) as the ink of the bars is.

    Args:
        frame: RGB, uint8, shape (height, width, 3), 0 to 255.
    """
    square = preprocess(frame, LOOK_SIDE, LOOK_SIDE)
    corner = square[-_BAR_ROWS:, -_BAR_COLUMNS:].astype(np.int16)
    black = int((corner.max(axis=2) < 60).sum())
    red = int((corner[:, :, 0] - corner[:, :, 1:].max(axis=2) > 50).sum())
    if 60 <= black < 400:
        return ScaleBar.LARGE_BOX
    if 5 <= red < 60:
        return ScaleBar.RED_TEXT
    if 5 <= black < 60:
        return ScaleBar.SMALL_BOX
    return ScaleBar.NONE


def measure_look(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure the colours of a field in CIELAB, the scale bar's corner left out.

    Args:
        frame: RGB, uint8, shape (height, width, 3), 0 to 255.

    Returns:
        Float64, shape (15,), rounded to hundredths: L, a and b (L 0 to 100) of the background
        (median of the brightest 15 %), of the red cells (median of the darker pixels that are no
        nuclei), of the nuclei (median of the pixels beyond Otsu's threshold of a - b), then the
        mean and the standard deviation over all pixels.
    """
    square = preprocess(frame, LOOK_SIDE, LOOK_SIDE)
    small = cv2.resize(square, (LOOK_SIDE // 2, LOOK_SIDE // 2), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB).astype(np.float64)
    inside = np.ones(lab.shape[:2], bool)
    inside[-_BAR_ROWS // 2 :, -_BAR_COLUMNS // 2 :] = False
    pixels = lab[inside]
    lightness, purple = pixels[:, 0], pixels[:, 1] - pixels[:, 2]
    scaled = np.clip(2.0 * purple, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    nuclei = scaled > threshold
    bright = lightness >= np.quantile(lightness, 0.85)
    red_cells = ~nuclei & (lightness < np.quantile(lightness, 0.6))
    colours = [_median_colour(pixels, mask) for mask in (bright, red_cells, nuclei)]
    look = np.concatenate([*colours, pixels.mean(axis=0), pixels.std(axis=0)])
    return np.round(look, 2)


def _median_colour(pixels: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the median of the chosen pixels, or of all where too few are chosen."""
    chosen = pixels[mask] if mask.sum() >= _ENOUGH else pixels
    return np.asarray(np.median(chosen, axis=0), np.float64)
