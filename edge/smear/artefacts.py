"""What lies on a smear besides cells: smudge cells, platelets, precipitate."""

from __future__ import annotations

import numpy as np

from edge.smear.canvas import CHROMATIN, CYTOPLASM, GRANULES, HAEMOGLOBIN, Canvas, smooth_disc
from edge.smear.outline import draw_outline, polar, radius_at
from edge.smear.texture import TextureBank


def draw_smudge(
    canvas: Canvas, rng: np.random.Generator, textures: TextureBank, x: float, y: float
) -> None:
    """Add a smudge cell (Gumprecht shadow): a burst, pale, ragged nucleus.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        textures: the field's patterns.
        x: column of its middle in the field, in pixels.
        y: row of its middle in the field, in pixels.
    """
    size = rng.uniform(5.5, 10.0)
    outline = draw_outline(rng, 0.13, int(rng.integers(0, 3)), 0.3)
    window = canvas.window(x, y, size * 1.55)
    strength = rng.uniform(0.22, 0.5)
    if window is None:
        return
    where, dx, dy = window
    radius, index = polar(dx, dy)
    ragged = textures.cut(rng, radius.shape, 2.0) * np.float32(0.6)
    shape = smooth_disc(radius + ragged, radius_at(outline, index) * np.float32(size), 2.2)
    pattern = np.float32(0.85) + np.float32(0.15) * textures.cut(rng, radius.shape, 1.0)
    amount = shape * np.maximum(pattern, np.float32(0.0)) * np.float32(strength)
    canvas.maps[GRANULES][where] += amount * np.float32(0.9)
    canvas.maps[CHROMATIN][where] += amount * np.float32(0.25)
    canvas.covered[where] = np.maximum(canvas.covered[where], shape * np.float32(0.5))


def draw_platelets(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, number: int
) -> None:
    """Add platelets: granular purple discs of 1.5 to 3 micrometres, alone or in a clump.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        x: column of the first in the field, in pixels.
        y: row of the first in the field, in pixels.
        number: how many.
    """
    strength = rng.uniform(0.35, 0.7)
    for _ in range(number):
        size = rng.uniform(0.7, 1.4)
        window = canvas.window(x, y, size * 1.8)
        if window is not None:
            where, dx, dy = window
            radius = np.sqrt(dx * dx * np.float32(rng.uniform(0.7, 1.3)) + dy * dy)
            disc = smooth_disc(radius, size, 0.7) * np.float32(strength)
            canvas.maps[CHROMATIN][where] += disc * np.float32(0.6)
            canvas.maps[CYTOPLASM][where] += disc * np.float32(0.6)
        x += float(rng.normal(0.0, 2.0)) * canvas.pixels_per_um
        y += float(rng.normal(0.0, 2.0)) * canvas.pixels_per_um


def draw_precipitate(canvas: Canvas, rng: np.random.Generator, x: float, y: float) -> None:
    """Add a grain of stain precipitate or dirt: small, dark, sharp.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        x: column in the field, in pixels.
        y: row in the field, in pixels.
    """
    for _ in range(int(rng.integers(1, 5))):
        size = rng.uniform(0.25, 0.8)
        window = canvas.window(x, y, size * 2.5)
        if window is not None:
            where, dx, dy = window
            disc = smooth_disc(np.sqrt(dx * dx + dy * dy), size, 0.5)
            canvas.maps[CHROMATIN][where] += disc * np.float32(0.8)
            canvas.maps[HAEMOGLOBIN][where] += disc * np.float32(0.8)
        x += float(rng.normal(0.0, 0.9)) * canvas.pixels_per_um
        y += float(rng.normal(0.0, 0.9)) * canvas.pixels_per_um


def scatter_artefacts(canvas: Canvas, rng: np.random.Generator, textures: TextureBank) -> None:
    """Add a field's share of artefacts, without regard to the class.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        textures: the field's patterns.
    """
    squares = canvas.squares

    def anywhere() -> tuple[float, float]:
        return float(rng.random() * canvas.width), float(rng.random() * canvas.height)

    for _ in range(int(rng.poisson(rng.exponential(0.7) * squares))):
        draw_smudge(canvas, rng, textures, *anywhere())
    for _ in range(int(rng.poisson(rng.exponential(2.5) * squares))):
        number = int(rng.integers(5, 14)) if rng.random() < 0.15 else 1
        draw_platelets(canvas, rng, *anywhere(), number)
    for _ in range(int(rng.poisson(rng.exponential(1.5) * squares))):
        draw_precipitate(canvas, rng, *anywhere())
