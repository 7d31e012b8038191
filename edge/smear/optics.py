"""Microscope and camera: uneven light, focus, sensor noise and the burned-in scale bar."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.smear.canvas import PIXELS_PER_UM_AT_224, FloatMap

#: Styles of scale bars: height and width of the box in pixels of a field 224 high, and the length
#: of the bar in micrometres.
_BAR_STYLES: Final = ((28, 44, 10.0), (12, 24, 5.0), (11, 20, 5.0))
_GLYPHS: Final = {
    "0": ("###", "#.#", "#.#", "#.#", "###"),
    "1": (".#.", "##.", ".#.", ".#.", "###"),
    "5": ("###", "#..", "###", "..#", "###"),
    "u": ("...", "#.#", "#.#", "#.#", "###"),
    "m": (".....", "#####", "#.#.#", "#.#.#", "#.#.#"),
}


def illumination(
    rng: np.random.Generator, height: int, width: int, light: NDArray[np.float64]
) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Return uneven light: falling off towards the corners, with a gradient across.

    Args:
        rng: the source of randomness.
        height: in pixels.
        width: in pixels.
        light: shape (3,), R, G, B in the middle.

    Returns:
        Three float32 maps of shape (height, width): R, G, B.
    """
    fall = rng.uniform(0.02, 0.13)
    # Corners turn bluish: red falls off most.
    by_channel = fall * np.array([1.0, 0.85, 0.35]) * rng.uniform(0.8, 1.2, 3)
    slope = rng.normal(0.0, 0.02, 2)
    centre = rng.normal(0.0, 0.15, 2)
    x = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    square = (x - np.float32(centre[0])) ** 2 + (y - np.float32(centre[1])) ** 2
    tilt = np.float32(1.0) + np.float32(slope[0]) * x + np.float32(slope[1]) * y

    def channel(index: int) -> FloatMap:
        lost = float(0.5 * light[index] * by_channel[index])
        level = tilt * np.float32(light[index]) - square * np.float32(lost)
        return level.astype(np.float32, copy=False)

    return channel(0), channel(1), channel(2)


def defocus(image: FloatMap, sigma_pixels: float) -> FloatMap:
    """Blur as an objective out of focus does, approximated by a Gaussian.

    Args:
        image: float32, shape (height, width, 3).
        sigma_pixels: standard deviation in pixels; below 0.2 nothing is done.

    Returns:
        float32 of the same shape.
    """
    if sigma_pixels < 0.2:
        return image
    blurred: FloatMap = cv2.GaussianBlur(image, (0, 0), sigma_pixels).astype(np.float32, copy=False)
    return blurred


def expose(rng: np.random.Generator, image: FloatMap, noise: float) -> NDArray[np.uint8]:
    """Turn light into 8-bit pixels with sensor noise.

    Args:
        rng: the source of randomness.
        image: float32, shape (height, width, 3), 255 being full scale; is written to.
        noise: standard deviation in grey levels.

    Returns:
        uint8 of the same shape.
    """
    if noise > 0.0:
        height, width = image.shape[:2]
        # One sheet, read at three offsets, gives channels that look independent.
        sheet = rng.standard_normal((height + 14, width + 14), dtype=np.float32)
        sheet *= np.float32(noise)
        for channel in range(3):
            start = 7 * channel
            image[:, :, channel] += sheet[start : start + height, start : start + width]
    np.clip(image, 0.0, 255.0, out=image)
    image += np.float32(0.5)
    return image.astype(np.uint8)


def burn_scale_bar(pixels: NDArray[np.uint8], style: int) -> None:
    """Burn a scale bar into the bottom right corner, as capture software does.

    Args:
        pixels: RGB, uint8, shape (height, width, 3); is written to.
        style: 0 for a large white box, 1 for a small white box, 2 for red without a box.
    """
    height, width = pixels.shape[:2]
    unit = height / 224.0
    box_height, box_width, length_um = _BAR_STYLES[style]
    box_height, box_width = round(box_height * unit), round(box_width * unit)
    top = height - box_height - (0 if style == 0 else round(6 * unit))
    left = width - box_width - (0 if style == 0 else round(7 * unit))
    if top < 0 or left < 0 or box_height < 4:
        return
    colour = (205, 30, 40) if style == 2 else (20, 20, 20)
    if style != 2:
        pixels[top : top + box_height, left : left + box_width] = 255
    thickness = max(1, round(unit))
    start = left + max(1, round(3 * unit))
    length = round(length_um * PIXELS_PER_UM_AT_224 * unit)
    line = top + box_height - max(2, round(0.2 * box_height))
    tick = max(2, round(0.15 * box_height))
    pixels[line : line + thickness, start : start + length] = colour
    pixels[line - tick : line + tick, start : start + thickness] = colour
    _write_label(pixels, f"{length_um:.0f}um", start + 2 * thickness, line - 1, box_height, colour)


def _write_label(
    pixels: NDArray[np.uint8],
    text: str,
    left: int,
    bottom: int,
    box_height: int,
    colour: tuple[int, int, int],
) -> None:
    """Write a few letters in dots; OpenCV's own text differs from version to version."""
    dot = max(1, round(0.07 * box_height))
    for letter in text:
        rows = _GLYPHS[letter]
        for row, bits in enumerate(rows):
            top = bottom - (len(rows) - row) * dot
            for column, bit in enumerate(bits):
                if bit == "#":
                    start = left + column * dot
                    pixels[top : top + dot, start : start + dot] = colour
        left += (len(rows[0]) + 1) * dot
