"""Fields that a technician would take again, made from good ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from train.quality.emptied import without_white_cells
from train.robustness.catalogue import DEGRADATIONS
from train.robustness.sensor import jpeg, sensor_noise

#: Spoils one image, RGB uint8; None where it cannot be done to this one.
Spoil = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8] | None]

_CATALOGUE = {one.name: one for one in DEGRADATIONS}


@dataclass(frozen=True, slots=True)
class BadKind:
    """One way in which a field is not fit to be classified.

    Attributes:
        name: as reports show it.
        spoil: makes such a field.
    """

    name: str
    spoil: Spoil

    def make(self, images: NDArray[np.uint8], seed: int) -> list[NDArray[np.uint8]]:
        """Spoil images, each by its own chance.

        Args:
            images: RGB, uint8, shape (n, height, width, 3).
            seed: of all that is random.

        Returns:
            At most n images, RGB, uint8, shape (height, width, 3).
        """
        made = (
            self.spoil(image, np.random.default_rng((seed, index)))
            for index, image in enumerate(images)
        )
        return [image for image in made if image is not None]


def _catalogued(name: str, severity: int) -> Spoil:
    """Return a degradation of `train.robustness` at a severity of 1 to 5."""
    degradation = _CATALOGUE[name]
    return partial(_apply, (degradation.apply,), (degradation.values[severity - 1],))


def _apply(
    applies: Sequence[Callable[..., NDArray[np.uint8]]],
    values: Sequence[float],
    image: NDArray[np.uint8],
    generator: np.random.Generator,
) -> NDArray[np.uint8]:
    for apply, value in zip(applies, values, strict=True):
        image = apply(image, value, generator)
    return image


def _gaussian_blur(
    image: NDArray[np.uint8], sigma: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _blurred(sigma: float, *after: tuple[Callable[..., NDArray[np.uint8]], float]) -> Spoil:
    """Return a Gaussian blur, in pixels of the image, and what the camera then adds."""
    applies, values = zip((_gaussian_blur, sigma), *after, strict=True)
    return partial(_apply, applies, values)


def _filled(level: int) -> Spoil:
    def spoil(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
        return np.full_like(image, level)

    return spoil


def _emptied(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8] | None:
    return without_white_cells(image)


#: What limits are fitted against, and what they are measured on; strengths are those of
#: `train.robustness.catalogue`, blurs of sigma are Gaussian, in pixels of a network's input.
BAD_KINDS: tuple[BadKind, ...] = (
    BadKind("blurred, sigma 1.5", _blurred(1.5)),
    BadKind("blurred, sigma 2", _blurred(2.0)),
    BadKind("blurred, sigma 3", _blurred(3.0)),
    BadKind("blurred, sigma 2, then noise of 8 %", _blurred(2.0, (sensor_noise, 8.0))),
    BadKind("blurred, sigma 2, then JPEG 25", _blurred(2.0, (jpeg, 25.0))),
    BadKind("defocused, radius 3", _catalogued("defocus", 4)),
    BadKind("defocused, radius 4", _catalogued("defocus", 5)),
    BadKind("moved by 8 px", _catalogued("motion blur", 3)),
    BadKind("moved by 12 px", _catalogued("motion blur", 4)),
    BadKind("under-exposed, 1 stop", _catalogued("under-exposure", 2)),
    BadKind("under-exposed, 2.5 stops", _catalogued("under-exposure", 4)),
    BadKind("over-exposed, 0.7 stops", _catalogued("over-exposure", 3)),
    BadKind("over-exposed, 1.4 stops", _catalogued("over-exposure", 5)),
    BadKind("contrast of 30 %", _catalogued("low contrast", 4)),
    BadKind("colour cast of 12 %", _catalogued("colour cast", 3)),
    BadKind("colour cast of 18 %", _catalogued("colour cast", 4)),
    BadKind("colour cast of 25 %", _catalogued("colour cast", 5)),
    BadKind("scale 1.75", _catalogued("scale", 5)),
    BadKind("no white cell", _emptied),
    BadKind("black", _filled(0)),
    BadKind("white", _filled(255)),
)

BY_NAME: dict[str, BadKind] = {one.name: one for one in BAD_KINDS}
