"""White cells: lymphoid cells and blasts of the four classes, neutrophils and monocytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.smear.canvas import CHROMATIN, CYTOPLASM, GRANULES, Canvas, FloatMap, smooth_disc
from edge.smear.morphology import Morphology
from edge.smear.outline import draw_outline, polar, radius_at
from edge.smear.texture import TextureBank

#: Width of a stained edge in micrometres; refraction, not focus.
_EDGE_UM = 0.45


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A white cell's place.

    Attributes:
        x: column of its centre in the field, in pixels.
        y: row of its centre in the field, in pixels.
        radius_um: mean radius of the cell in micrometres.
    """

    x: float
    y: float
    radius_um: float


def draw_lymphoid(
    canvas: Canvas,
    rng: np.random.Generator,
    textures: TextureBank,
    morphology: Morphology,
    place: PlacedCell,
    stain: float,
) -> None:
    """Add one lymphoid cell or blast.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        textures: chromatin patterns of the field.
        morphology: the class's figures.
        place: where the cell lies and how large it is.
        stain: strength of the nuclear stain on this field, 1 in the middle.
    """
    window = canvas.window(place.x, place.y, place.radius_um * 1.45 + 0.5)
    ratio = rng.normal(morphology.nucleus_to_cell, morphology.nucleus_to_cell_sd)
    ratio = float(np.clip(ratio, 0.55, 0.97))
    nucleus_um = place.radius_um * ratio
    stretch = 1.0 + abs(rng.normal(0.0, 0.09))
    angle = rng.random() * 2.0 * np.pi
    body = draw_outline(rng, 0.03 + 0.3 * morphology.outline_irregularity)
    clefts = int(rng.integers(morphology.clefts[0], morphology.clefts[1] + 1))
    nucleus = draw_outline(rng, morphology.outline_irregularity, clefts, morphology.cleft_depth)
    # The nucleus lies off the middle, as far as the cytoplasm allows.
    shift = place.radius_um * (1.0 - ratio) * rng.uniform(0.2, 0.95)
    direction = rng.random() * 2.0 * np.pi
    density = stain * morphology.chromatin_density * (1.0 + 0.06 * rng.standard_normal())
    number = int(rng.integers(morphology.nucleoli[0], morphology.nucleoli[1] + 1))
    if window is None:
        return

    (rows, columns), dx, dy = window
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along: FloatMap = (dx * cosine + dy * sine) * np.float32(1.0 / stretch)
    across: FloatMap = (dy * cosine - dx * sine) * np.float32(stretch)
    radius, index = polar(along, across)
    cell_outline = radius_at(body, index) * np.float32(place.radius_um)
    cell = smooth_disc(radius, cell_outline, _EDGE_UM)

    along = along - np.float32(shift * np.cos(direction))
    across = across - np.float32(shift * np.sin(direction))
    radius, index = polar(along, across)
    outline = radius_at(nucleus, index) * np.float32(nucleus_um)
    inside = smooth_disc(radius, outline, _EDGE_UM)
    cell = np.maximum(cell, inside)

    pattern = textures.cut(rng, radius.shape, morphology.chromatin_grain_um)
    chromatin = pattern * np.float32(morphology.chromatin_contrast)
    relative = np.minimum(radius / outline, np.float32(1.0))
    # Chromatin is a little denser against the nuclear membrane.
    chromatin += np.float32(0.90) + np.float32(0.14) * relative * relative
    cytoplasm = cell * (np.float32(0.55) + np.float32(0.45) * relative)
    for _ in range(number):
        spot = rng.uniform(0.15, 0.55) * nucleus_um
        bearing = rng.random() * 2.0 * np.pi
        size = 0.5 * morphology.nucleolus_diameter_um * rng.uniform(0.8, 1.2)
        away_x = (along - np.float32(spot * np.cos(bearing))) / np.float32(size)
        away_y = (across - np.float32(spot * np.sin(bearing))) / np.float32(size)
        square = away_x * away_x + away_y * away_y
        core = np.exp(-square * square)
        rim = np.exp(-(((np.sqrt(square) - np.float32(1.4)) / np.float32(0.4)) ** 2))
        chromatin *= np.float32(1.0) - np.float32(0.62) * core + np.float32(0.22) * rim
        cytoplasm += np.float32(0.5) * core * inside
    np.maximum(chromatin, np.float32(0.15), out=chromatin)

    basophilia = morphology.basophilia * (0.6 + 0.4 * stain) * rng.uniform(0.8, 1.2)
    _lay(
        canvas,
        (rows, columns),
        inside * chromatin * np.float32(density),
        cytoplasm * (np.float32(1.0) - np.float32(0.6) * inside) * np.float32(basophilia),
        cell,
    )


def draw_neutrophil(
    canvas: Canvas,
    rng: np.random.Generator,
    textures: TextureBank,
    place: PlacedCell,
    stain: float,
) -> None:
    """Add one neutrophil: three to four joined lobes in a pale, granular cytoplasm.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        textures: chromatin patterns of the field.
        place: where the cell lies and how large it is.
        stain: strength of the nuclear stain on this field.
    """
    window = canvas.window(place.x, place.y, place.radius_um * 1.3)
    lobes = int(rng.integers(3, 5))
    start = rng.random() * 2.0 * np.pi
    steps = rng.uniform(0.95, 1.35, lobes)
    bearings = start + np.cumsum(steps)
    distances = place.radius_um * rng.uniform(0.38, 0.52, lobes)
    sizes = place.radius_um * rng.uniform(0.27, 0.36, lobes)
    body = draw_outline(rng, 0.04)
    if window is None:
        return
    (rows, columns), dx, dy = window
    radius, index = polar(dx, dy)
    cell = smooth_disc(radius, radius_at(body, index) * np.float32(place.radius_um), _EDGE_UM)
    nucleus = np.zeros_like(cell)
    for bearing, distance, size in zip(
        bearings.tolist(), distances.tolist(), sizes.tolist(), strict=True
    ):
        away_x = dx - np.float32(distance * np.cos(bearing))
        away_y = dy - np.float32(distance * np.sin(bearing))
        away = np.sqrt(away_x * away_x + away_y * away_y)
        np.maximum(nucleus, smooth_disc(away, size, _EDGE_UM * 1.5), out=nucleus)
    # Thin bridges of chromatin join the lobes.
    ring = np.abs(radius - np.float32(float(distances.mean())))
    turn = (np.arctan2(dy, dx) - np.float32(bearings[0])) % np.float32(2.0 * np.pi)
    joined = turn < np.float32(bearings[-1] - bearings[0])
    np.maximum(nucleus, smooth_disc(ring, 0.5, _EDGE_UM) * joined, out=nucleus)
    chromatin = np.float32(1.0) + np.float32(0.15) * textures.cut(rng, radius.shape, 1.0)
    granular = np.float32(1.0) + np.float32(0.35) * textures.cut(rng, radius.shape, 0.6)
    _lay(
        canvas,
        (rows, columns),
        nucleus * chromatin * np.float32(1.15 * stain),
        cell * np.float32(0.12),
        cell,
    )
    granules = np.maximum(granular, np.float32(0.0)) * cell * np.float32(0.36)
    canvas.maps[GRANULES][rows, columns] += granules


def draw_monocyte(
    canvas: Canvas,
    rng: np.random.Generator,
    textures: TextureBank,
    place: PlacedCell,
    stain: float,
) -> None:
    """Add one monocyte: a large cell with a kidney-shaped nucleus in grey-blue cytoplasm.

    Args:
        canvas: where to draw.
        rng: the source of randomness.
        textures: chromatin patterns of the field.
        place: where the cell lies and how large it is.
        stain: strength of the nuclear stain on this field.
    """
    window = canvas.window(place.x, place.y, place.radius_um * 1.4)
    body = draw_outline(rng, 0.06)
    nucleus = draw_outline(rng, 0.05, 1, 0.45)
    angle = rng.random() * 2.0 * np.pi
    if window is None:
        return
    (rows, columns), dx, dy = window
    radius, index = polar(dx, dy)
    cell = smooth_disc(radius, radius_at(body, index) * np.float32(place.radius_um), _EDGE_UM)
    shift = 0.15 * place.radius_um
    near_x = dx - np.float32(shift * np.cos(angle))
    near_y = dy - np.float32(shift * np.sin(angle))
    radius, index = polar(near_x, near_y)
    outline = radius_at(nucleus, index) * np.float32(0.7 * place.radius_um)
    inside = smooth_disc(radius, outline, _EDGE_UM)
    chromatin = np.float32(1.0) + np.float32(0.16) * textures.cut(rng, radius.shape, 1.3)
    _lay(
        canvas,
        (rows, columns),
        inside * chromatin * np.float32(0.75 * stain),
        cell * np.float32(0.6),
        cell,
    )
    canvas.maps[GRANULES][rows, columns] += cell * np.float32(0.15)


def _lay(
    canvas: Canvas,
    where: tuple[slice, slice],
    chromatin: FloatMap,
    cytoplasm: FloatMap,
    cell: FloatMap,
) -> None:
    """Add a cell to the maps; where two cells touch, the later one presses against the earlier."""
    covered = canvas.covered[where]
    free = np.float32(1.0) - np.float32(0.75) * covered
    canvas.maps[CHROMATIN][where] += chromatin * free
    canvas.maps[CYTOPLASM][where] += cytoplasm * free
    np.maximum(covered, cell, out=covered)
