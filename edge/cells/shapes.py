"""Operations on masks that the rooms of this house share."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def disc(radius: float) -> NDArray[np.uint8]:
    """Return a round structuring element with a radius in pixels, at least 1 when rounded."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def opened(mask: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """Take away from a mask of 0 and 1 what no disc of the radius in pixels fits into."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(radius)), np.uint8)


def without_holes(mask: NDArray[np.uint8], largest: float) -> NDArray[np.uint8]:
    """Fill the holes of a mask of 0 and 1 that have fewer pixels than `largest`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    is_small = stats[:, cv2.CC_STAT_AREA] < largest
    is_small[0] = False
    return np.asarray(mask | is_small[labels], np.uint8)


def otsu(values: NDArray[np.uint8]) -> float:
    """Return the threshold that best divides values in two classes; the upper is above it.

    Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans. SMC 9 (1979).
    """
    threshold, _ = cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(threshold)


def reduced(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Shrink an image to a share of its sides in (0, 1); it stays as it is from 1 on."""
    if scale >= 1.0:
        return image
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
