"""Golden frames, drawn for a model that is being packed.

The simulated microscope draws them, so that nobody has rights in them. Between them they take most
ways through `edge.preprocess`: as they are, enlarged, cropped, and reduced by a whole factor before
the rest. Those of a model that looks at single cells are black outside a disc that lies beside the
middle, so that the cell has to be found.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop
from edge.golden_frames import THREADS, decode_golden_frame, run_golden_frame
from edge.interpreter import Interpreter
from edge.model_archive import GOLDEN_NAME
from edge.smear import FieldOptions, render_field

#: Each frame's class, its height and width as shares of the input's, and how many times each of
#: its pixels is repeated along both axes.
_FRAMES = (
    ("Benign", 1.0, 1.0, 1),
    ("Early", 0.5, 0.5, 1),
    ("Pre", 0.5, 0.7, 1),
    ("Pro", 0.5, 0.7, 5),
)
_SEED = 2025

#: How far the highest output shall be above the next, in steps of 1/256: near one half, where they
#: are steepest, one quantum of the logits moves two of them by some ten steps each, and runtimes
#: that round otherwise differ by no more. So all of them name the same class.
LEAD = 64

#: How many drawings of one class are tried for it.
_TRIES = 16

#: Inputs with a longer side get smaller frames, so that the file stays small.
_USUAL_SIDE = 256
_SMALLEST_SIDE = 16


def choose_golden_frames(
    graph: bytes, height: int, width: int, cell: CellCrop | None = None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Draw golden frames of which the network is sure, and run it on them.

    Where it is sure of none that was drawn of a class, the one with the largest lead is taken.

    Args:
        graph: the TFLite model.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        cell: the square that it sees around a cell; None for one that looks at fields.

    Returns:
        PNG files, by the name that each has in the model file, and the card's section about them.

    Raises:
        ModelFileError: the runtime cannot load the graph.
        MissingPackageError: no TFLite runtime is installed.
    """
    interpreter = Interpreter(graph, "just made", THREADS)
    files: dict[str, bytes] = {}
    frames: list[dict[str, Any]] = []
    for number, (label, *_) in enumerate(_FRAMES):
        name = GOLDEN_NAME.format(number)
        largest = -1
        for attempt in range(_TRIES):
            seed = _SEED + number + attempt * len(_FRAMES)
            data = draw_golden_frame(number, seed, height, width, on_black=cell is not None)
            frame = decode_golden_frame(data, name)
            digest, output = run_golden_frame(interpreter, frame, height, width, cell)
            lead = int(np.diff(np.sort(output)[-2:])[0])
            if lead <= largest:
                continue
            largest, files[name] = lead, data
            chosen = {
                "file": name,
                "height": frame.shape[0],
                "width": frame.shape[1],
                "drawn_as": label,
                "seed": seed,
                "input_sha256": digest,
                "output": output,
            }
            if lead >= LEAD:
                break
        frames.append(chosen)
    return files, {"runtime": interpreter.runtime, "threads": THREADS, "frames": frames}


@lru_cache(maxsize=64)
def draw_golden_frame(number: int, seed: int, height: int, width: int, *, on_black: bool) -> bytes:
    """Draw a golden frame for a network.

    Args:
        number: which of the four; each is of another class and size.
        seed: of the drawing.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        on_black: whether the network looks at single cells on black.

    Returns:
        A PNG file.
    """
    shrink = min(1.0, _USUAL_SIDE / max(height, width))
    label, rows, columns, repeats = _FRAMES[number]
    field = render_field(
        label,
        seed,
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
    return encoded.tobytes()


def _disc(field: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blacken a field outside a disc that lies left of and above its middle."""
    rows, columns = field.shape[:2]
    down, across = np.ogrid[:rows, :columns]
    radius = min(rows, columns) // 3
    inside = (down - rows * 2 // 5) ** 2 + (across - columns * 2 // 5) ** 2 <= radius**2
    return np.asarray(field * inside[..., None].astype(np.uint8), np.uint8)
