"""Red cells: discs with central pallor, alone, in clumps or in rouleaux."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.smear.canvas import HAEMOGLOBIN, Canvas, FloatMap
from edge.smear.white_cells import PlacedCell


@dataclass(frozen=True, slots=True)
class RedCellStyle:
    """How the red cells of one field look; drawn without regard to the class.

    Attributes:
        cells_per_field: on a square field.
        diameter_um: mean diameter.
        anisocytosis: relative standard deviation of the diameter.
        pallor: 0 for flat discs, 1 for biconcave ones as in suspension, above for paler middles.
        in_chains: share of cells that lie in clumps or rouleaux.
        crenation: depth of the spikes of echinocytes relative to the radius; 0 for smooth cells.
        elongation: mean relative difference of the two axes.
    """

    cells_per_field: float
    diameter_um: float
    anisocytosis: float
    pallor: float
    in_chains: float
    crenation: float
    elongation: float


def draw_style(rng: np.random.Generator) -> RedCellStyle:
    """Draw the style of a field's red cells.

    Args:
        rng: the source of randomness.
    """
    return RedCellStyle(
        cells_per_field=rng.uniform(40.0, 135.0),
        diameter_um=rng.uniform(6.7, 7.7),
        anisocytosis=rng.uniform(0.03, 0.09),
        pallor=rng.uniform(0.0, 0.5) if rng.random() < 0.25 else rng.uniform(0.6, 1.3),
        in_chains=rng.uniform(0.0, 0.75),
        crenation=rng.uniform(0.03, 0.06) if rng.random() < 0.2 else 0.0,
        elongation=rng.uniform(0.03, 0.12),
    )


def draw_red_cells(
    canvas: Canvas,
    rng: np.random.Generator,
    style: RedCellStyle,
    factor: float,
    whites: list[PlacedCell],
) -> None:
    """Add a field's red cells to the canvas.

    The thickness across a cell follows Evans and Fung, "Improved measurements of the erythrocyte
    geometry", Microvascular Research 4 (1972) 335-347: sqrt(1 - u^2) (0.81 + 7.83 u^2 - 4.39 u^4)
    micrometres at the relative radius u, blended with a flat disc.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        style: how the cells look.
        factor: on their number.
        whites: the white cells, which push red ones aside.
    """
    centres = _positions(canvas, rng, style, factor)
    if whites:
        white = np.array([(cell.x, cell.y, cell.radius_um) for cell in whites])
        gap = np.hypot(
            centres[:, 0, None] - white[:, 0], centres[:, 1, None] - white[:, 1]
        ) / canvas.pixels_per_um - (white[:, 2] + 0.42 * style.diameter_um)
        pushed = (gap < 0).any(axis=1) & (rng.random(len(centres)) < 0.93)
        centres = centres[~pushed]
    if len(centres) == 0:
        return
    thickness, corners = _thickness(canvas, rng, style, centres)
    red = canvas.maps[HAEMOGLOBIN]
    side = thickness.shape[1]
    for patch, (row, column) in zip(thickness, corners.tolist(), strict=True):
        red[row : row + side, column : column + side] += patch
    # Dried cells flatten where they overlap: two of them absorb 1.5 times as much as one.
    red *= np.float32(1.5) / (np.float32(1.0) + np.float32(0.5) * red)


def _positions(
    canvas: Canvas, rng: np.random.Generator, style: RedCellStyle, factor: float
) -> NDArray[np.float64]:
    """Return centres in pixels of the field, shape (n, 2) as x and y, chains first."""
    border = 0.5 * style.diameter_um * canvas.pixels_per_um
    extent = np.array([canvas.width + 2 * border, canvas.height + 2 * border])
    share = float(np.prod(extent)) / (canvas.width * canvas.height)
    total = max(1, round(factor * style.cells_per_field * canvas.squares * share))
    centres: list[tuple[float, float]] = []
    chained = int(total * style.in_chains)
    while len(centres) < chained:
        x, y = (rng.random(2) * extent - border).tolist()
        direction = rng.random() * 2.0 * np.pi
        length = int(rng.integers(3, 9))
        for turn, step in zip(
            rng.normal(0.0, 0.5, length).tolist(),
            rng.uniform(0.4, 1.0, length).tolist(),
            strict=True,
        ):
            centres.append((x, y))
            direction += turn
            stride = step * style.diameter_um * canvas.pixels_per_um
            x += stride * float(np.cos(direction))
            y += stride * float(np.sin(direction))
    single = rng.random((total, 2))[: max(0, total - len(centres))] * extent - border
    both = np.concatenate([np.array(centres, np.float64).reshape(-1, 2), single])
    inside = (both > -border - 1).all(axis=1) & (both < extent - border).all(axis=1)
    kept: NDArray[np.float64] = both[inside]
    return kept


def _thickness(
    canvas: Canvas, rng: np.random.Generator, style: RedCellStyle, centres: NDArray[np.float64]
) -> tuple[FloatMap, NDArray[np.intp]]:
    """Return relative thickness, shape (n, side, side), and top left corners, shape (n, 2)."""
    number = len(centres)
    radius = 0.5 * style.diameter_um * (1.0 + style.anisocytosis * rng.standard_normal(number))
    radius = np.clip(radius, 2.4, 4.8) * canvas.pixels_per_um
    stretch = 1.0 + np.abs(rng.normal(0.0, style.elongation, number)).clip(0.0, 0.4)
    angle = rng.random(number) * np.pi
    pallor = np.clip(style.pallor + 0.2 * rng.standard_normal(number), 0.0, 1.35)
    density = 1.0 + 0.08 * rng.standard_normal(number)

    half = int(np.ceil(float((radius * stretch).max()) * (1.0 + style.crenation))) + 1
    side = 2 * half + 1
    # Rows first, as the maps are indexed; the window always lies inside the margin.
    place = centres[:, ::-1] + canvas.margin
    whole = np.floor(place).astype(np.intp)
    corners = whole - half
    grid = np.arange(side, dtype=np.float32) - half
    offset = (place - whole).astype(np.float32)
    dy = grid[None, :, None] - offset[:, 0, None, None]
    dx = grid[None, None, :] - offset[:, 1, None, None]
    cosine = _column(np.cos(angle) / (radius * stretch))
    sine = _column(np.sin(angle) / (radius * stretch))
    cross_cosine = _column(np.cos(angle) * stretch / radius)
    cross_sine = _column(np.sin(angle) * stretch / radius)
    along = dx * cosine + dy * sine
    across = dy * cross_cosine - dx * cross_sine
    if style.crenation > 0.0:
        phase = _column(rng.random(number) * 2.0 * np.pi)
        spikes = _column(rng.integers(8, 14, number).astype(np.float64))
        turn = np.arctan2(across, along)
        wave = np.sin(turn * spikes + phase)
        wave *= np.float32(0.65) + np.float32(0.35) * np.sin(turn * np.float32(3.0) - phase)
        spike = np.float32(1.0) + np.float32(style.crenation) * wave
        along *= spike
        across *= spike
    square = along * along
    square += across * across
    np.minimum(square, np.float32(1.0), out=square)
    root = np.sqrt(np.float32(1.0) - square)
    # 2.57 um is the thickest place of the formula.
    biconcave = (np.float32(0.81) + square * (np.float32(7.83) - np.float32(4.39) * square)) * root
    flat = np.minimum(root * np.float32(2.2), np.float32(1.0))
    mixed = flat * _column(density * (1.0 - pallor)) + biconcave * _column(density * pallor / 2.57)
    return np.maximum(mixed, np.float32(0.0)), corners


def _column(values: NDArray[np.float64]) -> FloatMap:
    """Return one float32 value for each cell, shaped to broadcast over its pixels."""
    return values.astype(np.float32)[:, None, None]
