"""What a degradation is."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Lengths are stated in pixels of a field this high, and scaled with the images' height.
REFERENCE_HEIGHT = 224

SEVERITIES = (1, 2, 3, 4, 5)

#: Takes an RGB uint8 image (height, width, 3), the parameter's value and the source of chance.
Apply = Callable[[NDArray[np.uint8], float, np.random.Generator], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Degradation:
    """One way in which images get worse, by one physical parameter.

    Attributes:
        name: as reports and curves show it.
        nature: where it comes from: optics, exposure, sensor, stain or geometry.
        parameter: what grows worse, with its unit.
        intact: the parameter's value for an image that is not degraded.
        values: the parameter at severities 1 to 5.
        apply: degrades one image. Chance (a direction, a place) is drawn in the same way at each
            severity, so that one seed shows one fault growing.
    """

    name: str
    nature: str
    parameter: str
    intact: float
    values: tuple[float, float, float, float, float]
    apply: Apply


def degrade(
    images: NDArray[np.uint8], degradation: Degradation, severity: int, seed: int
) -> NDArray[np.uint8]:
    """Degrade images, each by its own chance.

    What happens to an image depends on the seed, the degradation and the image's position alone.

    Args:
        images: RGB, uint8, shape (n, height, width, 3).
        degradation: what is done to them.
        severity: 1 to 5.
        seed: of all that is random.

    Returns:
        RGB, uint8, of the same shape; the input is left as it is.
    """
    value = degradation.values[severity - 1]
    key = zlib.crc32(degradation.name.encode())
    degraded = np.empty_like(images)

    def work(index: int) -> None:
        generator = np.random.default_rng((seed, key, index))
        degraded[index] = degradation.apply(images[index], value, generator)

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, range(len(images))))
    return degraded


def in_pixels(length: float, image: NDArray[np.uint8]) -> float:
    """Return a length of a field `REFERENCE_HEIGHT` pixels high in pixels of this image."""
    height: int = image.shape[0]
    return length * height / REFERENCE_HEIGHT
