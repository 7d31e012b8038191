"""One field of view, from a class and a seed to pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.errors import BlastscopeError
from edge.smear.artefacts import scatter_artefacts
from edge.smear.canvas import HAEMOGLOBIN, Canvas, expected_absorbance
from edge.smear.morphology import LABELS, MORPHOLOGIES, Morphology
from edge.smear.optics import burn_scale_bar, defocus, expose, illumination
from edge.smear.red_cells import draw_red_cells, draw_style
from edge.smear.stain import draw_stain, transmit
from edge.smear.texture import TextureBank
from edge.smear.white_cells import PlacedCell, draw_lymphoid, draw_monocyte, draw_neutrophil

#: Total nuclear absorbance of a square field in square um: the same range for every class, so that
#: neither the amount nor the depth of purple tells the class.
_NUCLEAR_ABSORBANCE: Final = (330.0, 820.0)
_STAIN_LIMITS: Final = (0.55, 1.6)
_SMALLEST_SIDE: Final = 16
_LARGEST_SIDE: Final = 8192


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """What to fix or to spoil about a field; the defaults give a usable one.

    Attributes:
        stain_variation: 0 for one stain on all fields, 1 for the spread between laboratories.
        defocus_um: standard deviation of the blur on the slide, in micrometres; None draws a
            usable focus of 0.12 to 0.42.
        exposure: factor on the light; 0.4 is too dark, 1.6 too bright.
        noise: standard deviation of the sensor's noise in grey levels; None draws 0.8 to 2.2.
        white_cells: factor on the number of white cells; 0 leaves none.
        red_cells: factor on the number of red cells; 0 leaves none.
        scale_bar: whether a scale bar is burned in; None does so on every second field.
    """

    stain_variation: float = 1.0
    defocus_um: float | None = None
    exposure: float = 1.0
    noise: float | None = None
    white_cells: float = 1.0
    red_cells: float = 1.0
    scale_bar: bool | None = None


def render_field(
    label: str,
    seed: int,
    *,
    width: int = 224,
    height: int = 224,
    options: FieldOptions | None = None,
) -> NDArray[np.uint8]:
    """Render a simulated field of view of a stained blood smear.

    The field is always about 93 micrometres high, so cells grow with `height`, and a wider frame
    shows more of them. Stain, light, focus and artefacts come from the seed before the class is
    looked at: with the same seed, they are the same for all four classes.

    Args:
        label: the class: "Benign", "Early", "Pre" or "Pro".
        seed: any whole number from 0; the same seed gives the same bytes.
        width: of the frame in pixels, 16 to 8192.
        height: of the frame in pixels, 16 to 8192.
        options: what to fix or to spoil; None for the defaults.

    Returns:
        RGB, uint8, shape (height, width, 3), 0 to 255.

    Raises:
        BlastscopeError: the label is unknown, the seed negative or a side out of range.

    Example:
        >>> frame = render_field("Early", 1, width=640, height=480)
    """
    morphology = MORPHOLOGIES.get(label)
    if morphology is None:
        raise BlastscopeError(
            f"A simulated field is of one of the classes {', '.join(LABELS)}",
            got=repr(label),
            next_step="Choose one of these",
        )
    if seed < 0:
        raise BlastscopeError(
            "A seed is a whole number from 0", got=seed, next_step="Give one from 0"
        )
    for name, side in (("width", width), ("height", height)):
        if not _SMALLEST_SIDE <= side <= _LARGEST_SIDE:
            raise BlastscopeError(
                f"A field's {name} is {_SMALLEST_SIDE} to {_LARGEST_SIDE} pixels",
                got=side,
                next_step=f"Choose a {name} within the range",
            )
    chosen = FieldOptions() if options is None else options
    rng = np.random.Generator(np.random.PCG64(seed))

    # What does not depend on the class comes first.
    stain = draw_stain(rng, chosen.stain_variation)
    light = illumination(rng, height, width, stain.light * chosen.exposure)
    style = draw_style(rng)
    focus = rng.uniform(0.12, 0.42) if chosen.defocus_um is None else chosen.defocus_um
    noise = rng.uniform(0.8, 2.2) if chosen.noise is None else chosen.noise
    bar = rng.random() < 0.5 if chosen.scale_bar is None else chosen.scale_bar
    bar_style = int(rng.integers(0, 3))
    low, high = _NUCLEAR_ABSORBANCE
    absorbance = low * (high / low) ** rng.random()
    wish = rng.uniform(0.8, 1.25)

    canvas = Canvas(height, width)
    textures = TextureBank(rng, canvas.pixels_per_um)
    scatter_artefacts(canvas, rng, textures)
    placed = _draw_white_cells(canvas, rng, textures, morphology, absorbance, wish, chosen)
    if chosen.red_cells > 0.0:
        draw_red_cells(canvas, rng, style, chosen.red_cells, placed)
    canvas.maps[HAEMOGLOBIN] *= np.float32(1.0) - np.float32(0.85) * canvas.covered

    image = transmit(canvas, stain, light)
    image = defocus(image, focus * canvas.pixels_per_um)
    pixels = expose(rng, image, noise)
    if bar:
        burn_scale_bar(pixels, bar_style)
    return pixels


def _draw_white_cells(
    canvas: Canvas,
    rng: np.random.Generator,
    textures: TextureBank,
    morphology: Morphology,
    absorbance: float,
    wish: float,
    options: FieldOptions,
) -> list[PlacedCell]:
    """Draw number, stain strength and places of a field's white cells, and add them."""
    fewest, most = morphology.cells_per_field
    each = expected_absorbance(morphology)
    number = float(np.clip(absorbance / (each * wish), fewest, most))
    # The stain makes good what the class's range of numbers cut off.
    strength = float(np.clip(absorbance / (each * number), *_STAIN_LIMITS))
    count = round(number * canvas.squares * options.white_cells * rng.uniform(0.9, 1.1))
    placed: list[PlacedCell] = []
    for _ in range(count):
        other = rng.random() < morphology.other_cells
        if other:
            radius = float(rng.uniform(5.8, 7.4))
        else:
            nucleus = rng.normal(morphology.nucleus_diameter_um, morphology.nucleus_diameter_sd_um)
            radius = 0.5 * float(np.clip(nucleus, 5.0, 14.5)) / morphology.nucleus_to_cell
        place = _find_place(canvas, rng, placed, radius, morphology.clustering)
        if place is None:
            continue
        placed.append(place)
        if not other:
            draw_lymphoid(canvas, rng, textures, morphology, place, strength)
        elif rng.random() < 0.6:
            draw_neutrophil(canvas, rng, textures, place, strength)
        else:
            draw_monocyte(canvas, rng, textures, place, strength)
    return placed


def _find_place(
    canvas: Canvas,
    rng: np.random.Generator,
    placed: list[PlacedCell],
    radius_um: float,
    clustering: float,
) -> PlacedCell | None:
    """Find a place that overlaps no white cell by much; None after 12 tries."""
    scale = canvas.pixels_per_um
    border = 0.6 * radius_um * scale
    for _ in range(12):
        if placed and rng.random() < clustering:
            partner = placed[int(rng.integers(0, len(placed)))]
            bearing = rng.random() * 2.0 * np.pi
            distance = (partner.radius_um + radius_um) * rng.uniform(0.93, 1.03) * scale
            x = partner.x + distance * float(np.cos(bearing))
            y = partner.y + distance * float(np.sin(bearing))
            if not (-border < x < canvas.width + border and -border < y < canvas.height + border):
                continue
        else:
            x = float(rng.uniform(-border, canvas.width + border))
            y = float(rng.uniform(-border, canvas.height + border))
        clear = all(
            float(np.hypot(x - cell.x, y - cell.y)) > 0.9 * (cell.radius_um + radius_um) * scale
            for cell in placed
        )
        if clear:
            return PlacedCell(x, y, radius_um)
    return None
