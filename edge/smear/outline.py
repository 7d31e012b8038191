"""Closed outlines of cells and nuclei, as radius over angle."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.smear.canvas import FloatMap

#: Angles at which an outline is tabulated.
ANGLES: Final = 256
_TWO_PI: Final = float(2.0 * np.pi)
_HARMONICS: Final = np.arange(2, 8, dtype=np.float64)


def draw_outline(
    rng: np.random.Generator, irregularity: float, clefts: int = 0, cleft_depth: float = 0.0
) -> FloatMap:
    """Draw an outline of mean radius about 1.

    The radius is a Fourier series over the angle with random phases and amplitudes that fall with
    the harmonic's number, times one smooth dip for each cleft.

    Args:
        rng: the source of randomness.
        irregularity: root mean square deviation from a circle, relative to the radius.
        clefts: number of indentations.
        cleft_depth: mean depth of an indentation relative to the radius.

    Returns:
        float32, shape (256,): radius at equally spaced angles from 0.
    """
    angles = np.arange(ANGLES, dtype=np.float64) * (_TWO_PI / ANGLES)
    amplitudes = rng.standard_normal(_HARMONICS.size) / _HARMONICS
    amplitudes *= irregularity / np.sqrt(0.5 * np.sum(1.0 / _HARMONICS**2))
    phases = rng.random(_HARMONICS.size) * _TWO_PI
    radius = 1.0 + amplitudes @ np.cos(_HARMONICS[:, None] * angles + phases[:, None])
    for _ in range(clefts):
        centre = rng.random() * _TWO_PI
        width = rng.uniform(0.22, 0.45)
        depth = cleft_depth * rng.uniform(0.6, 1.4)
        away = np.abs(angles - centre)
        away = np.minimum(away, _TWO_PI - away)
        radius *= 1.0 - depth * np.exp(-((away / width) ** 2))
    return np.maximum(radius, 0.2).astype(np.float32)


def radius_at(outline: FloatMap, angle_index: NDArray[np.intp]) -> FloatMap:
    """Look an outline up.

    Args:
        outline: float32, shape (256,).
        angle_index: whole numbers 0 to 255 of any shape.

    Returns:
        float32 of the shape of `angle_index`.
    """
    taken: FloatMap = outline.take(angle_index)
    return taken


def polar(dx: FloatMap, dy: FloatMap) -> tuple[FloatMap, NDArray[np.intp]]:
    """Return distance and tabulated angle of each pixel of a window.

    Args:
        dx: float32 row vector of horizontal offsets.
        dy: float32 column vector of vertical offsets.

    Returns:
        The distance in the unit of the offsets, and the angle as an index into an outline.
    """
    radius = np.sqrt(dx * dx + dy * dy)
    turns = np.arctan2(dy, dx) * np.float32(ANGLES / _TWO_PI)
    return radius, turns.astype(np.intp) & (ANGLES - 1)
