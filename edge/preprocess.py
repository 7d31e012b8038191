"""From a frame of any size to a network's input, the same on every machine.

Training, calibration, evaluation and the Pi all call `preprocess`; there is no second
implementation to disagree with.

The result is bit-identical on x86 and arm64: most of OpenCV's interpolations are not (on noise,
INTER_LINEAR differs in a quarter of all values, INTER_CUBIC in 4 %), but INTER_AREA by a whole
factor is an exact mean, and INTER_LINEAR_EXACT is fixed-point arithmetic throughout.

A frame that is larger by less than an eighth loses its margin instead of being interpolated, which
would take longer than all else, and blur cells for so little.
"""

from __future__ import annotations

import threading
from functools import lru_cache

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


_UINT8 = np.dtype(np.uint8)

#: Of fewer pixels than this, half takes hardly longer than to wake another thread.
_LEAST_SHARED = 1_000_000

#: From this factor on, a multiple of four, every other row of a frame is left out.
_LEAST_SKIPPED = 8

#: OpenCV wakes threads of its own, which then spin for a while, for results of more pixels.
_MOST_ALONE = 98_000


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
    if frame.dtype != _UINT8:
        next_step = "Scale the values to 0..255 and cast to uint8"
    elif frame.ndim != 3 or frame.shape[2] != 3:
        next_step = "Convert grey or RGBA frames to RGB first"
    elif frame.size == 0:
        next_step = "Check the camera or the crop: it has no pixels"
    else:
        return
    # Not before: to write out a type takes longer than all of the above.
    raise FrameError(rule, got=f"dtype {frame.dtype} with shape {frame.shape}", next_step=next_step)


def is_large(frame: NDArray[np.uint8]) -> bool:
    """Tell whether a frame is so large that it pays to have a second thread do half of it.

    Args:
        frame: shape (any height, any width, 3); anything that is no frame is not large.
    """
    shape: tuple[int, ...] = getattr(frame, "shape", ())
    return len(shape) == 3 and shape[0] * shape[1] >= _LEAST_SHARED


def preprocess(
    frame: NDArray[np.uint8],
    height: int,
    width: int,
    out: NDArray[np.uint8] | None = None,
    side: SideThread | None = None,
    cell: CellCrop | None = None,
) -> NDArray[np.uint8]:
    """Crop the centre, or the square around a cell, to the network's aspect ratio and resize.

    The crop keeps cells round: a 640 x 480 frame gives its middle. Where the frame is larger than
    the input by a whole factor or more, that factor is taken out first as an exact mean over square
    blocks, which also keeps the reduction free of aliasing. A factor of eight or more is taken as a
    multiple of four, and every other row of its blocks counts, whose mean then takes two roundings:
    32 pixels and more are enough, and to read all of a still takes as long as the network does. Of
    what remains (less than a factor of two) the margin is cut off where that is less than an
    eighth; otherwise it is linear in fixed point, as any enlargement is.

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
    rows, columns, factor = _plan(frame.shape[0], frame.shape[1], height, width)
    blocks = frame[rows, columns]
    if factor == 1:
        _interpolate(blocks, out)
    elif side is not None and is_large(frame):
        _reduce_by_two(blocks, factor, out, side)
    else:
        _reduce(blocks, factor, out)
    return out


@lru_cache(maxsize=64)
def _plan(rows: int, columns: int, height: int, width: int) -> tuple[slice, slice, int]:
    """Return which rows and columns of a frame count, and the whole factor to reduce them by.

    Raises:
        FrameError: the frame is too narrow.
    """
    crop_rows, crop_columns = _crop(rows, columns, height, width)
    factor = max(1, min(crop_rows // height, crop_columns // width))
    if factor >= _LEAST_SKIPPED:
        factor -= factor % 4
    kept_rows, kept_columns = crop_rows // factor, crop_columns // factor
    if 0 <= 8 * (kept_rows - height) < height and 0 <= 8 * (kept_columns - width) < width:
        kept_rows, kept_columns = height, width
    elif factor >= _LEAST_SKIPPED:
        # Two threads can then interpolate a half each.
        kept_rows -= kept_rows % 2
    # The crop's middle, and not the frame's, which may be half a pixel beside it.
    top = (rows - crop_rows) // 2 + (crop_rows - kept_rows * factor) // 2
    left = (columns - crop_columns) // 2 + (crop_columns - kept_columns * factor) // 2
    return (
        slice(top, top + kept_rows * factor),
        slice(left, left + kept_columns * factor),
        factor,
    )


def seen_part(rows: int, columns: int, height: int, width: int) -> tuple[slice, slice]:
    """Return which part of a frame a network sees.

    Args:
        rows: the frame's height in pixels.
        columns: the frame's width in pixels.
        height: the network's input height in pixels.
        width: the network's input width in pixels.

    Returns:
        Its rows and its columns, those that `preprocess` takes into account.

    Raises:
        FrameError: the frame is too narrow.
    """
    return _plan(rows, columns, height, width)[:2]


def _crop(rows: int, columns: int, height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of the largest crop with the aspect ratio height : width."""
    kept_rows = min(rows, columns * height // width)
    kept_columns = min(columns, rows * width // height)
    if kept_rows == 0 or kept_columns == 0:
        raise FrameError(
            f"A frame needs room for a crop of aspect ratio {width}:{height}",
            got=f"shape ({rows}, {columns}, 3)",
            next_step="Use a frame that is less narrow",
        )
    return kept_rows, kept_columns


def _reduce(frame: NDArray[np.uint8], factor: int, out: NDArray[np.uint8]) -> None:
    """Average blocks of factor x factor pixels, and interpolate what remains."""
    rows, columns = frame.shape[0] // factor, frame.shape[1] // factor
    if (rows, columns) == out.shape[:2]:
        _average(frame, factor, out)
        return
    reduced = _scratch.of_shape("reduced", rows, columns)
    _average(frame, factor, reduced)
    _interpolate(reduced, out)


def _reduce_by_two(
    frame: NDArray[np.uint8], factor: int, out: NDArray[np.uint8], side: SideThread
) -> None:
    """Do what `_reduce` does, the lower half in the side thread."""
    rows, columns = frame.shape[0] // factor, frame.shape[1] // factor
    height = out.shape[0]
    is_whole = (rows, columns) == out.shape[:2]
    reduced = out if is_whole else _scratch.of_shape("reduced", rows, columns)
    # Where both heights are even, no pixel above the middle is interpolated from below it.
    in_halves = rows % 2 == 0 and height % 2 == 0 and not is_whole

    def do(first: int, last: int) -> None:
        """Do the reduced rows from `first` to `last`."""
        part = reduced[first:last]
        _average(frame[first * factor : last * factor], factor, part)
        if in_halves:
            _interpolate(part, out[first * height // rows : last * height // rows])

    side.start(lambda: do(rows // 2, rows))
    try:
        do(0, rows // 2)
    finally:
        side.wait()
    if not in_halves and not is_whole:
        _interpolate(reduced, out)


def _average(frame: NDArray[np.uint8], factor: int, out: NDArray[np.uint8]) -> None:
    """Average blocks of factor x factor pixels, of large ones every other row.

    Those rows are halved first, which OpenCV does far faster than all else; a few rows at a time,
    so that what is halved stays in the processor's cache.
    """
    if factor < _LEAST_SKIPPED:
        _resize(frame, out, cv2.INTER_AREA)
        return
    rows, columns = out.shape[:2]
    tall, wide = factor // 4, columns * factor // 2
    at_once = max(1, _MOST_ALONE // (tall * wide))
    half = _scratch.of_shape("half", at_once * tall, wide)
    for first in range(0, rows, at_once):
        count = min(at_once, rows - first)
        band = half[: count * tall]
        _resize(frame[first * factor : (first + count) * factor : 2], band, cv2.INTER_AREA)
        _resize(band, out[first : first + count], cv2.INTER_AREA)


def _interpolate(frame: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    if frame.shape == out.shape:
        np.copyto(out, frame)
    else:
        _resize(frame, out, cv2.INTER_LINEAR_EXACT)


def _resize(frame: NDArray[np.uint8], out: NDArray[np.uint8], interpolation: int) -> None:
    cv2.resize(frame, (out.shape[1], out.shape[0]), dst=out, interpolation=interpolation)


class _Scratch(threading.local):
    """Memory of each thread's own, which would otherwise be asked for and given back at each."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def of_shape(self, name: str, rows: int, columns: int) -> NDArray[np.uint8]:
        """Return this thread's array of a name and shape; what it holds is from the last use."""
        memory = self._memory.get(name)
        if memory is None or memory.shape[:2] != (rows, columns):
            memory = self._memory[name] = np.empty((rows, columns, 3), np.uint8)
        return memory


_scratch = _Scratch()
