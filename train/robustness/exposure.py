"""Degradations by the amount of light and by how much of it the stain takes away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.robustness.light import from_light, to_bytes, to_light


def low_contrast(
    image: NDArray[np.uint8], factor: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw all values towards each channel's mean, as stray light and a pale stain do.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        factor: what is left of the differences, 0..1.
        generator: not used.
    """
    mean = image.mean(axis=(0, 1))
    return to_bytes(mean + factor * (image - mean))


def under_exposure(
    image: NDArray[np.uint8], stops: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Halve the light `stops` times.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        stops: how many times.
        generator: not used.
    """
    return from_light(to_light(image) * np.float32(2.0**-stops))


def over_exposure(
    image: NDArray[np.uint8], stops: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Double the light `stops` times; what the sensor cannot hold becomes white.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        stops: how many times.
        generator: not used.
    """
    return from_light(to_light(image) * np.float32(2.0**stops))
