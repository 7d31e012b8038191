"""Golden frames: pictures inside a model file, with the very output that it must give for them.

They are drawn by the simulated microscope, so that nobody has rights in them. Between them they
take most ways through `edge.preprocess`: as they are, enlarged, cropped, and reduced by a whole
factor before the rest. Those of a model that looks at single cells are black outside a disc that
lies beside the middle, so that the cell has to be found.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop
from edge.errors import ModelFileError
from edge.interpreter import Interpreter
from edge.model_archive import GOLDEN_NAME
from edge.preprocess import preprocess
from edge.smear import FieldOptions, render_field

#: Golden outputs are made and checked on one thread.
THREADS = 1

#: The longest side that a golden frame may have, in pixels.
LONGEST_SIDE = 2048

#: Each frame's class, its height and width as shares of the input's, and how many times each of
#: its pixels is repeated along both axes.
_FRAMES = (
    ("Benign", 1.0, 1.0, 1),
    ("Early", 0.5, 0.5, 1),
    ("Pre", 0.5, 0.7, 1),
    ("Pro", 0.5, 0.7, 5),
)
_SEED = 2025

#: Inputs with a longer side get smaller frames, so that the file stays small.
_USUAL_SIDE = 256
_SMALLEST_SIDE = 16

_PNG_SIZE = struct.Struct(">2L")


@lru_cache(maxsize=4)
def render_golden_frames(height: int, width: int, *, on_black: bool = False) -> dict[str, bytes]:
    """Draw the golden frames for a network.

    Args:
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        on_black: whether the network looks at single cells on black.

    Returns:
        PNG files, by the name that each has in the model file.
    """
    shrink = min(1.0, _USUAL_SIDE / max(height, width))
    files = {}
    for number, (label, rows, columns, repeats) in enumerate(_FRAMES):
        field = render_field(
            label,
            _SEED + number,
            height=max(_SMALLEST_SIDE, round(height * shrink * rows)),
            width=max(_SMALLEST_SIDE, round(width * shrink * columns)),
            # A camera's noise would make the file several times as large.
            options=FieldOptions(noise=0.0),
        )
        if on_black:
            field = _disc(field)
        frame = field.repeat(repeats, axis=0).repeat(repeats, axis=1)
        pixels = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(".png", pixels, (cv2.IMWRITE_PNG_COMPRESSION, 9))
        files[GOLDEN_NAME.format(number)] = encoded.tobytes()
    return files


def describe_golden_frames(
    graph: bytes,
    files: Mapping[str, bytes],
    height: int,
    width: int,
    cell: CellCrop | None = None,
) -> dict[str, Any]:
    """Run a network on its golden frames, and return the card's section about them.

    Args:
        graph: the TFLite model.
        files: as `render_golden_frames` returns them.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        cell: the square that it sees around a cell; None for one that looks at fields.

    Raises:
        ModelFileError: the runtime cannot load the graph.
        MissingPackageError: no TFLite runtime is installed.
    """
    interpreter = Interpreter(graph, "just made", THREADS)
    frames = []
    for number, (name, data) in enumerate(files.items()):
        frame = decode_golden_frame(data, name)
        digest, output = run_golden_frame(interpreter, frame, height, width, cell)
        frames.append(
            {
                "file": name,
                "height": frame.shape[0],
                "width": frame.shape[1],
                "drawn_as": _FRAMES[number][0],
                "seed": _SEED + number,
                "input_sha256": digest,
                "output": output,
            }
        )
    return {"runtime": interpreter.runtime, "threads": THREADS, "frames": frames}


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


def _disc(field: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blacken a field outside a disc that lies left of and above its middle."""
    rows, columns = field.shape[:2]
    down, across = np.ogrid[:rows, :columns]
    radius = min(rows, columns) // 3
    inside = (down - rows * 2 // 5) ** 2 + (across - columns * 2 // 5) ** 2 <= radius**2
    return np.asarray(field * inside[..., None].astype(np.uint8), np.uint8)
