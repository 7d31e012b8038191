"""Golden frames: pictures inside a model file, with the very output that it must give for them.

`quantize.golden_frames` draws them; here they are decoded and run.
"""

from __future__ import annotations

import hashlib
import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop
from edge.errors import ModelFileError
from edge.interpreter import Interpreter
from edge.preprocess import preprocess

#: Golden outputs are made and checked on one thread.
THREADS = 1

#: The longest side that a golden frame may have, in pixels.
LONGEST_SIDE = 2048

_PNG_SIZE = struct.Struct(">2L")


def decode_golden_frame(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a golden frame.

    Args:
        data: a PNG file of at most `LONGEST_SIDE` pixels a side.
        name: what to call it.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ModelFileError: it is no such file.
    """
    # The size stands in the first chunk: it is looked at before there is memory for the pixels.
    is_png = data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) > 24
    if is_png and max(_PNG_SIZE.unpack(data[16:24])) <= LONGEST_SIDE:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is not None:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    raise ModelFileError(
        f"A golden frame is a PNG file of at most {LONGEST_SIDE} pixels a side",
        got=f"another in {name}",
        next_step="Copy the model again from where it was made",
    )


def run_golden_frame(
    interpreter: Interpreter,
    frame: NDArray[np.uint8],
    height: int,
    width: int,
    cell: CellCrop | None = None,
) -> tuple[str, list[int]]:
    """Run a network on a frame.

    Args:
        interpreter: with a uint8 input of shape (1, height, width, 3) and a uint8 output.
        frame: RGB, uint8, shape (any height, any width, 3).
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        cell: the square that it sees around a cell; None for one that looks at fields.

    Returns:
        SHA-256 of the preprocessed frame's bytes, in hexadecimal, and the stored output values.

    Raises:
        FrameError: the frame is too narrow for the input's shape.
    """
    pixels = preprocess(frame, height, width, cell=cell)
    interpreter.input_view()[...] = pixels
    interpreter.invoke()
    values: list[int] = interpreter.output_view().tolist()
    return hashlib.sha256(pixels.tobytes()).hexdigest(), values
