"""From a frame of any size to a network's input, the same on every machine.

Training, calibration, evaluation and the Pi all call `preprocess`; there is no second
implementation to disagree with.

The result is bit-identical on x86 and arm64: most of OpenCV's interpolations are not (on noise,
INTER_LINEAR differs in a quarter of all values, INTER_CUBIC in 4 %), but INTER_AREA by a whole
factor is an exact mean, and INTER_LINEAR_EXACT is fixed-point arithmetic throughout.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop, cut_cell
from edge.errors import FrameError
from edge.side_thread import SideThread

#: A byte q stands for (q - INPUT_MEAN) / INPUT_STD. These two are what the quantization of an int8
#: network's input holds exactly (zero point 128, scale 1/128): float and int8 networks see the
#: very same values, and a frame's bytes go straight into the model.
INPUT_MEAN = 128
INPUT_STD = 128


#: Of fewer pixels than this, half takes hardly longer than to wake another thread.
_LEAST_SHARED = 1_000_000


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
    side: SideThread | None = None,
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
        side: a thread that does half of a large frame; the result is the same to the bit.
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
    cropped = centre_crop(frame, height, width)
    factor = min(cropped.shape[0] // height, cropped.shape[1] // width)
    if factor > 1:
        _reduce(_trim(cropped, factor), factor, out, side)
    else:
        _interpolate(cropped, out)
    return out


def centre_crop(frame: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the part of a frame that a network sees.

    Args:
        frame: shape (any height, any width, 3).
        height: the network's input height, or anything in the same proportion to the width.
        width: the network's input width.

    Returns:
        The largest centred view with the aspect ratio height : width.

    Raises:
        FrameError: the frame is too narrow.
    """
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


def _trim(frame: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return a view without the rows and columns that no whole block is left of."""
    rows, columns = frame.shape[0] // factor * factor, frame.shape[1] // factor * factor
    top = (frame.shape[0] - rows) // 2
    left = (frame.shape[1] - columns) // 2
    return frame[top : top + rows, left : left + columns]


def _reduce(
    frame: NDArray[np.uint8], factor: int, out: NDArray[np.uint8], side: SideThread | None
) -> None:
    """Average blocks of factor x factor pixels, and interpolate what remains."""
    rows, columns = frame.shape[0] // factor, frame.shape[1] // factor
    height = out.shape[0]
    is_whole = (rows, columns) == out.shape[:2]
    reduced = out if is_whole else _scratch.of_shape(rows, columns)
    # Where both heights are even, no pixel above the middle is interpolated from below it.
    in_halves = rows % 2 == 0 and height % 2 == 0 and not is_whole

    def do(first: int, last: int) -> None:
        """Do the reduced rows from `first` to `last`."""
        part = reduced[first:last]
        _resize(frame[first * factor : last * factor], part, cv2.INTER_AREA)
        if in_halves:
            _interpolate(part, out[first * height // rows : last * height // rows])

    if side is None or frame.shape[0] * frame.shape[1] < _LEAST_SHARED:
        in_halves = False
        do(0, rows)
    else:
        side.start(lambda: do(rows // 2, rows))
        try:
            do(0, rows // 2)
        finally:
            side.wait()
    if not in_halves and not is_whole:
        _interpolate(reduced, out)


def _interpolate(frame: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    _resize(frame, out, cv2.INTER_LINEAR_EXACT)


def _resize(frame: NDArray[np.uint8], out: NDArray[np.uint8], interpolation: int) -> None:
    cv2.resize(frame, (out.shape[1], out.shape[0]), dst=out, interpolation=interpolation)


class _Scratch(threading.local):
    """Memory for reduced frames, which would otherwise be asked for and given back at each."""

    def __init__(self) -> None:
        self._memory = np.empty((0, 0, 3), np.uint8)

    def of_shape(self, rows: int, columns: int) -> NDArray[np.uint8]:
        """Return this thread's array of a shape; what it holds is from the last use."""
        if self._memory.shape[:2] != (rows, columns):
            self._memory = np.empty((rows, columns, 3), np.uint8)
        return self._memory


_scratch = _Scratch()
