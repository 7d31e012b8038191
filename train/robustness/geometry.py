"""Changes of where things lie; what comes in from outside is mirrored."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray


def rotation(
    image: NDArray[np.uint8], degrees: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Turn about the middle, clockwise or anticlockwise by chance.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        degrees: the angle.
        generator: draws the direction.
    """
    return _warp(image, degrees * generator.choice([-1.0, 1.0]), 1.0)


def scale(
    image: NDArray[np.uint8], factor: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Enlarge or shrink about the middle, by chance, as another objective or camera would.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        factor: of the enlargement or of the reduction, 1 or more.
        generator: draws which of the two.
    """
    if generator.random() < 0.5:
        return _warp(image, 0.0, factor)
    # Details that the smaller image cannot hold are smoothed away first.
    sigma = 0.5 * math.sqrt(max(factor**2 - 1.0, 1e-6))
    smooth = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return _warp(np.asarray(smooth, np.uint8), 0.0, 1.0 / factor)


def _warp(image: NDArray[np.uint8], degrees: float, factor: float) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    middle = ((width - 1) / 2, (height - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, degrees, factor)
    warped = cv2.warpAffine(
        image, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)
