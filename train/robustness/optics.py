"""Degradations in the microscope: they change the light before it reaches the sensor."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from train.robustness.degradation import in_pixels
from train.robustness.light import from_light, to_light

#: Most specks that `dust` can draw.
_MOST_SPECKS = 64


def defocus(
    image: NDArray[np.uint8], radius: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Spread each point into a uniform disc, the circle of confusion of geometric optics.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        radius: of the disc, in pixels of a field 224 high.
        generator: not used.
    """
    radius = in_pixels(radius, image)
    reach = math.ceil(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    # A pixel that the disc's edge crosses counts by how much of it lies inside.
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0.0, 1.0)
    return _filter(image, disc)


def motion_blur(
    image: NDArray[np.uint8], length: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Move the stage at constant speed in a random direction while the shutter is open.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        length: of the way, in pixels of a field 224 high.
        generator: draws the direction.
    """
    length = in_pixels(length, image)
    angle = generator.uniform(0.0, math.pi)
    reach = math.ceil(length / 2) + 1
    way = np.linspace(-length / 2, length / 2, 64)
    y, x = reach + way * math.sin(angle), reach + way * math.cos(angle)
    line = np.zeros((2 * reach + 1, 2 * reach + 1))
    for rows, row_share in ((np.floor(y), 1 - y % 1), (np.floor(y) + 1, y % 1)):
        for columns, share in ((np.floor(x), 1 - x % 1), (np.floor(x) + 1, x % 1)):
            np.add.at(line, (rows.astype(int), columns.astype(int)), row_share * share)
    return _filter(image, line)


def vignetting(
    image: NDArray[np.uint8], loss: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Let the light fall off with the square of the distance from the middle.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        loss: share of the light that is missing in the corners, 0..1.
        generator: not used.
    """
    height, width = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    gain = 1.0 - loss * (x**2 + y**2) / 2.0
    return from_light(to_light(image) * gain[..., None].astype(np.float32))


def dust(
    image: NDArray[np.uint8], specks: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Put specks on the sensor's window: soft discs that let 10 to 60 % of the light through.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        specks: how many, at most 64. Their radii are 1.5 to 4 pixels of a field 224 high.
        generator: draws their places, sizes and darkness.
    """
    height, width = image.shape[:2]
    places = generator.uniform(0.0, 1.0, (_MOST_SPECKS, 2)) * (height, width)
    radii = in_pixels(1.0, image) * generator.uniform(1.5, 4.0, _MOST_SPECKS)
    passing = generator.uniform(0.1, 0.6, _MOST_SPECKS)
    gain = np.ones((height, width), np.float32)
    for (row, column), radius, share in list(zip(places, radii, passing, strict=True))[
        : round(specks)
    ]:
        top, left = max(int(row - radius) - 1, 0), max(int(column - radius) - 1, 0)
        window = gain[top : int(row + radius) + 3, left : int(column + radius) + 3]
        y, x = np.indices(window.shape)
        inside = np.clip((radius + 1.0 - np.hypot(y + top - row, x + left - column)) / 2.0, 0, 1)
        window *= 1.0 - (1.0 - share) * inside
    return from_light(to_light(image) * gain[..., None])


def _filter(image: NDArray[np.uint8], kernel: NDArray[np.float64]) -> NDArray[np.uint8]:
    kernel = (kernel / kernel.sum()).astype(np.float32)
    blurred = cv2.filter2D(to_light(image), -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return from_light(np.asarray(blurred, np.float32))
