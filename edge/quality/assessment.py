"""All measures of a field's quality."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.preprocess import preprocess
from edge.quality.glass import measure_glass
from edge.quality.reduced import REDUCED_SIDE, REDUCTION, reduce
from edge.quality.sharpness import measure_sharpness
from edge.quality.white_cells import measure_white_cells

#: Side in pixels of the square that is measured: a network's input, so that focus and scale are
#: judged as the network sees them, and what is preprocessed for it costs nothing more.
MEASURED_SIDE = REDUCTION * REDUCED_SIDE


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one field, all the same on every machine.

    Attributes:
        brightness: lightness of the glass, 0 (black) to 255, in OpenCV's 8-bit L* of CIE LAB.
        clipped_black: share of the field that is black in all channels, 0..1.
        clipped_white: share of the field that is white in all channels, 0..1.
        contrast: how much darker than the glass the darkest fiftieth of the field is, in steps of
            the green channel, -255..255.
        green_red: colour of the glass from green (below 0) to red, in steps of 8-bit a*.
        blue_yellow: colour of the glass from blue (below 0) to yellow, in steps of 8-bit b*.
        sharpness: steepness of the field's edges against the same edges at half the resolution,
            from 0; about 1 in a sharp field, 0.5 under a blur of 2 pixels (standard deviation).
        isotropy: sharpness in the least sharp direction as a share of that in the sharpest, 0..1;
            low where the stage moved while the shutter was open. 1 where there are no edges.
        white_cells: share of the field that is white cell, 0..1.
        cell_size: mean width of the white cells in pixels of a field 224 high; 0 without any.
    """

    brightness: float
    clipped_black: float
    clipped_white: float
    contrast: float
    green_red: float
    blue_yellow: float
    sharpness: float
    isotropy: float
    white_cells: float
    cell_size: float

    def as_json(self) -> dict[str, float]:
        """Return a dictionary that `json.dumps` takes."""
        return asdict(self)


#: The measures' names, in the order in which findings about them are told.
MEASURES: tuple[str, ...] = tuple(Quality.__dataclass_fields__)


def assess(frame: NDArray[np.uint8]) -> Quality:
    """Measure a field's quality; nothing is remembered between calls.

    All is done in whole numbers, with operations of OpenCV that give the same bits on x86 and
    arm64. The bottom right corner, a quarter of each side, is left out: a scale bar that capture
    software burns in there stays sharp and white, whatever happens to the field.

    Args:
        frame: RGB, uint8, shape (any height, any width, 3). One that is not 224 x 224 pixels is
            brought there by `edge.preprocess.preprocess`, so give a network's input where there is
            one.

    Raises:
        FrameError: the frame is not RGB uint8, or it is too narrow to crop.
    """
    pixels = preprocess(frame, MEASURED_SIDE, MEASURED_SIDE) if _needs_preparing(frame) else frame
    reduced = reduce(pixels)
    lab = np.asarray(cv2.cvtColor(reduced, cv2.COLOR_RGB2LAB), np.uint8)
    glass = measure_glass(reduced, lab)
    sharpness, isotropy = measure_sharpness(pixels)
    white_cells, width = measure_white_cells(lab, glass.lab)
    return Quality(
        brightness=glass.lab[0],
        clipped_black=glass.clipped_black,
        clipped_white=glass.clipped_white,
        contrast=glass.contrast,
        green_red=glass.lab[1] - 128.0,
        blue_yellow=glass.lab[2] - 128.0,
        sharpness=sharpness,
        isotropy=isotropy,
        white_cells=white_cells,
        cell_size=width * REDUCTION,
    )


def _needs_preparing(frame: NDArray[np.uint8]) -> bool:
    """Tell whether a frame must go through `preprocess`, which also refuses what is no frame."""
    return not (
        isinstance(frame, np.ndarray)
        and frame.dtype == np.uint8
        and frame.shape == (MEASURED_SIDE, MEASURED_SIDE, 3)
    )
