"""Between an image's bytes and the light that made them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def _decode(value: NDArray[np.float64]) -> NDArray[np.float32]:
    low, high = value / 12.92, ((value + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, low, high).astype(np.float32)


_LIGHT_OF_BYTE = _decode(np.arange(256) / 255.0)


def to_light(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much light each byte stands for, by the sRGB curve (IEC 61966-2-1).

    Args:
        image: sRGB, uint8, any shape.

    Returns:
        Share of the sensor's full scale in 0..1; float32, of the same shape.
    """
    return _LIGHT_OF_BYTE[image]


def from_light(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the bytes for amounts of light; what exceeds the sensor's range is cut off.

    Args:
        light: share of the sensor's full scale, any shape and range.

    Returns:
        sRGB, uint8, of the same shape; `from_light(to_light(image))` is the image.
    """
    light = np.clip(light, 0.0, 1.0)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return to_bytes(255.0 * value)


def to_bytes(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Round to the nearest byte, limiting to 0..255."""
    rounded: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded
