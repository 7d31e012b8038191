"""From a frame of any size to a network's input, the same on every machine.

Training, calibration, evaluation and the Pi all call `preprocess`; there is no second
implementation to disagree with.

The result is bit-identical on x86 and arm64: most of OpenCV's interpolations are not (on noise,
INTER_LINEAR differs in a quarter of all values, INTER_CUBIC in 4 %), but INTER_AREA by a whole
factor is an exact mean, and INTER_LINEAR_EXACT is fixed-point arithmetic throughout.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop, cut_cell
from edge.errors import FrameError

#: A byte q stands for (q - INPUT_MEAN) / INPUT_STD. These two are what the quantization of an int8
#: network's input holds exactly (zero point 128, scale 1/128): float and int8 networks see the
#: very same values, and a frame's bytes go straight into the model.
INPUT_MEAN = 128
INPUT_STD = 128


def check_frame(frame: NDArray[np.uint8]) -> None:
    """Refuse anything that is not an RGB uint8 frame.

    Args:
        frame: what should be RGB, uint8, shape (height, width, 3).

    Raises:
        FrameError: another type, data type or shape, or no pixels.
    """
    rule = "A frame is a numpy array of uint8 with shape (height, width, 3), in RGB order"
    if not isinstance(frame, np.ndarray):
        raise FrameError(
            rule, got=f"a {type(frame).__name__}", next_step="Convert it with numpy.asarray"
        )
    got = f"dtype {frame.dtype} with shape {frame.shape}"
    if frame.dtype != np.uint8:
        raise FrameError(rule, got=got, next_step="Scale the values to 0..255 and cast to uint8")
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise FrameError(rule, got=got, next_step="Convert grey or RGBA frames to RGB first")
    if frame.size == 0:
        raise FrameError(rule, got=got, next_step="Check the camera or the crop: it has no pixels")


def preprocess(
    frame: NDArray[np.uint8],
    height: int,
    width: int,
    out: NDArray[np.uint8] | None = None,
    cell: CellCrop | None = None,
) -> NDArray[np.uint8]:
    """Crop the centre, or the square around a cell, to the network's aspect ratio and resize.

    The crop keeps cells round: a 640 x 480 frame gives its middle 480 x 480. Where the frame is
    larger than the input by a whole factor or more, that factor is taken out first as an exact
    mean over square blocks, which also keeps the reduction free of aliasing; the remainder (less
    than a factor of two), or any enlargement, is linear in fixed point.

    A frame of the input's very size is taken as it is: it has been through this before.

    Args:
        frame: RGB, uint8, shape (any height, any width, 3); need not be contiguous.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        out: where to write, uint8, shape (height, width, 3), contiguous; a new array if None.
        cell: the square to cut out around the cell first, for a network that looks at single cells
            on black; None for one that looks at fields.

    Returns:
        `out` or the new array: RGB, uint8, shape (height, width, 3), values 0..255.

    Raises:
        FrameError: the frame is not RGB uint8, or it is too narrow to crop.
    """
    check_frame(frame)
    if out is None:
        out = np.empty((height, width, 3), np.uint8)
    if frame.shape == out.shape:
        np.copyto(out, frame)
        return out
    if cell is not None:
        frame = cut_cell(frame, cell)
    cropped = _crop_to_aspect(frame, height, width)
    factor = min(cropped.shape[0] // height, cropped.shape[1] // width)
    if factor > 1:
        cropped = _reduce_exactly(cropped, factor, out)
        if cropped is out:
            return out
    cv2.resize(cropped, (width, height), dst=out, interpolation=cv2.INTER_LINEAR_EXACT)
    return out


def _crop_to_aspect(frame: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the largest centred view of `frame` with the aspect ratio height : width."""
    rows, columns = frame.shape[:2]
    kept_rows = min(rows, columns * height // width)
    kept_columns = min(columns, rows * width // height)
    if kept_rows == 0 or kept_columns == 0:
        raise FrameError(
            f"A frame needs room for a crop of aspect ratio {width}:{height}",
            got=f"shape {frame.shape}",
            next_step="Use a frame that is less narrow",
        )
    top = (rows - kept_rows) // 2
    left = (columns - kept_columns) // 2
    return frame[top : top + kept_rows, left : left + kept_columns]


def _reduce_exactly(
    frame: NDArray[np.uint8], factor: int, out: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Average blocks of factor x factor pixels, after trimming the rows and columns left over."""
    rows, columns = frame.shape[0] // factor, frame.shape[1] // factor
    top = (frame.shape[0] - rows * factor) // 2
    left = (frame.shape[1] - columns * factor) // 2
    trimmed = frame[top : top + rows * factor, left : left + columns * factor]
    target = out if (rows, columns) == out.shape[:2] else None
    reduced = cv2.resize(trimmed, (columns, rows), dst=target, interpolation=cv2.INTER_AREA)
    return out if target is not None else np.asarray(reduced, np.uint8)
