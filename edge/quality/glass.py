"""Light, its clipping and its colour, judged by the glass between the cells."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.quality.reduced import CORNER, KEPT, without_corner

#: Share of the field, its brightest part, that is taken for glass.
_GLASS = 0.2

#: Share of the field, its darkest part in green, that contrast is measured to. Green light is what
#: the stains of nuclei take away most.
_DARKEST = 0.02

#: From this value on a pixel counts as white, and up to this one as black.
_WHITE = 254
_BLACK = 8


@dataclass(frozen=True, slots=True)
class Glass:
    """What the light does to a field.

    Attributes:
        lab: mean colour of the glass in OpenCV's 8-bit LAB, each 0..255.
        clipped_black: share of the field that is black in all channels, 0..1.
        clipped_white: share of the field that is white in all channels, 0..1.
        contrast: how much greener the glass is than the darkest of the field, -255..255.
    """

    lab: tuple[float, float, float]
    clipped_black: float
    clipped_white: float
    contrast: float


def measure_glass(reduced: NDArray[np.uint8], lab: NDArray[np.uint8]) -> Glass:
    """Measure the light of a field.

    Args:
        reduced: RGB, uint8, shape (REDUCED_SIDE, REDUCED_SIDE, 3).
        lab: the same in OpenCV's 8-bit LAB.
    """
    darkest_glass = _ranked(lab[..., 0], 1.0 - _GLASS)
    is_glass = cv2.inRange(lab, (darkest_glass, 0, 0), (255, 255, 255))
    is_glass[CORNER:, CORNER:] = 0
    lightness, green_red, blue_yellow = _means(lab, is_glass)
    return Glass(
        lab=(lightness, green_red, blue_yellow),
        clipped_black=_share_between(reduced, 0, _BLACK),
        clipped_white=_share_between(reduced, _WHITE, 255),
        contrast=_means(reduced, is_glass)[1] - _ranked(reduced[..., 1], _DARKEST),
    )


def _means(image: NDArray[np.uint8], mask: cv2.typing.MatLike) -> tuple[float, float, float]:
    """Return the three channels' means where the mask is set, of sums that are exact."""
    count = int(np.count_nonzero(mask))
    # OpenCV multiplies the sum with the count's reciprocal, which is undone here.
    first, second, third = (round(mean * count) / count for mean in cv2.mean(image, mask)[:3])
    return first, second, third


def _ranked(channel: NDArray[np.uint8], share: float) -> int:
    """Return the value below which about this share of the channel lies."""
    rank = round(share * KEPT)
    return int(np.partition(without_corner(channel), rank)[rank])


def _share_between(reduced: NDArray[np.uint8], low: int, high: int) -> float:
    """Return the share of pixels with all three channels from `low` to `high`."""
    inside = np.asarray(cv2.inRange(reduced, (low, low, low), (high, high, high)), np.uint8)
    return int(np.count_nonzero(without_corner(inside))) / KEPT
