"""What the one at the microscope can do about each measure that is out of its limits."""

from __future__ import annotations

#: For each measure, the instruction where it is too low and the one where it is too high; None
#: where that is nothing to complain of.
INSTRUCTIONS: dict[str, tuple[str | None, str | None]] = {
    "brightness": (
        "Too dark: turn the lamp up or expose longer",
        "Too bright: turn the lamp down or expose shorter",
    ),
    "clipped_black": (
        None,
        "Black areas: open the diaphragm, and see that nothing shades the field",
    ),
    "clipped_white": (
        None,
        "Too bright, white areas are burnt out: turn the lamp down or expose shorter",
    ),
    "contrast": (
        "Too pale: close the condenser's diaphragm, clean the lens, or check the stain",
        "Too dark a field: move to a thinner area",
    ),
    "green_red": (
        "Colours are too green: balance white on an empty place",
        "Colours are too red: balance white on an empty place",
    ),
    "blue_yellow": (
        "Colours are too blue: balance white on an empty place",
        "Colours are too yellow: balance white on an empty place",
    ),
    "sharpness": (
        "Blurred: focus up or down until the cells' edges are sharp",
        "Too much fine grain: check the camera's sharpening and noise",
    ),
    "isotropy": (
        "Blurred in one direction: hold the stage still and take it again",
        None,
    ),
    "white_cells": (
        "No white cell in sight: move to another place",
        "Too crowded or too much dye: move to a thinner area",
    ),
    "cell_size": (
        "Cells are too small: take the objective that the network was trained with",
        "Cells are too large: take the objective that the network was trained with, or move to a "
        "thinner area",
    ),
}
