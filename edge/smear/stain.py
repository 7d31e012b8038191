"""Stain and light: from concentrations to colours, drawn without regard to the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.smear.canvas import Canvas, FloatMap

# Absorbance at concentration 1 in R, G, B (natural logarithm), from the colours of nuclei, blue
# cytoplasm, red cells and neutrophil granules in the images of Aria et al.
# (DOI 10.34740/KAGGLE/DSV/2175623): minus the logarithm of object over background.
_ABSORBANCE: Final = np.array(
    [
        [0.50, 0.78, 0.03],  # chromatin: azure B with eosin, purple
        [0.36, 0.22, 0.03],  # basophilic cytoplasm: azure B on RNA, blue
        [0.30, 0.265, 0.13],  # haemoglobin: grey to pink, by the buffer's pH
        [0.12, 0.40, 0.10],  # granules and free chromatin: eosinophilic pink
    ]
)


@dataclass(frozen=True, slots=True)
class Stain:
    """The dyes and the light of one field.

    Attributes:
        absorbance: float64, shape (4, 3): absorbance of each stain map at concentration 1 in
            R, G, B, natural logarithm.
        light: float64, shape (3,): R, G, B of an empty place in the middle of the field, 255 being
            the sensor's full scale; above 255 it saturates.
    """

    absorbance: NDArray[np.float64]
    light: NDArray[np.float64]


def draw_stain(rng: np.random.Generator, variation: float = 1.0) -> Stain:
    """Draw a field's dyes and light.

    Args:
        rng: the source of randomness.
        variation: 0 for the same stain on every field, 1 for the spread between laboratories.
    """
    redness = variation * rng.normal(0.0, 1.0)  # alkaline, blue to acid, red
    spread = rng.normal(0.0, variation, (4, 3))
    absorbance = _ABSORBANCE * np.exp(0.08 * spread)
    absorbance[:, 0] *= np.exp(-0.17 * redness)
    absorbance[:, 1] *= np.exp(0.08 * redness)
    absorbance[:, 2] *= np.exp(0.25 * redness)
    absorbance[2] *= np.exp(variation * rng.uniform(-0.45, 0.35))  # haemoglobin
    absorbance[1] *= np.exp(variation * rng.uniform(-0.3, 0.3))  # cytoplasm
    absorbance[3] *= np.exp(variation * rng.uniform(-0.4, 0.4))  # granules
    brightness = 254.0 + variation * rng.uniform(-16.0, 10.0)
    tint = variation * rng.normal(0.0, 4.0, 3)
    light = brightness + np.array([-2.0, 2.0, 0.0]) + tint
    return Stain(absorbance, light)


def transmit(canvas: Canvas, stain: Stain, light: tuple[FloatMap, FloatMap, FloatMap]) -> FloatMap:
    """Let light pass through the slide (Beer-Lambert).

    Args:
        canvas: the concentrations.
        stain: the dyes.
        light: illumination in R, G, B, each of the field's shape or one that broadcasts to it.

    Returns:
        float32, shape (height, width, 3), RGB, from 0; 255 is the sensor's full scale.
    """
    image = np.empty((canvas.height, canvas.width, 3), np.float32)
    maps = [canvas.stain(index) for index in range(len(canvas.maps))]
    for channel in range(3):
        factors = stain.absorbance[:, channel].astype(np.float32).tolist()
        depth = maps[0] * np.float32(-factors[0])
        for one, factor in zip(maps[1:], factors[1:], strict=True):
            depth -= one * np.float32(factor)
        np.exp(depth, out=depth)
        np.multiply(depth, light[channel], out=image[:, :, channel])
    return image
