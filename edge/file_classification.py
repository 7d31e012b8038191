"""Image files classified while the next ones are decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.errors import FrameError, ImageFileError
from edge.image_file import decode_image, read_image
from edge.interpreter import default_threads
from edge.native_output import captured_native_output
from edge.prediction import Prediction

#: Files that are decoded while those before are classified, and how many bytes they have together
#: at most beyond the first: a large photograph takes twenty times its file's bytes in memory.
_BLOCK = 16
_BLOCK_BYTES = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ClassifiedFile:
    """What became of an image file.

    Attributes:
        path: the file.
        prediction: None where it could not be read.
        error: why; None where it could.
        decode_ms: milliseconds of reading and decoding it, beside the network.
        frame: RGB, uint8, shape (height, width, 3), where there is class activation.
        activation: of the label, as `Classifier.activation_map` gives it; None where the classifier
            was loaded without it.
    """

    path: Path
    prediction: Prediction | None
    error: ImageFileError | FrameError | None
    decode_ms: float
    frame: NDArray[np.uint8] | None = None
    activation: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    path: Path
    #: None where the file could not even be read: `read_image` says why.
    frame: NDArray[np.uint8] | ImageFileError | None
    milliseconds: float


def classify_files(classifier: Classifier, files: Sequence[Path]) -> Iterator[ClassifiedFile]:
    """Classify image files in their order, and decode the next ones meanwhile on the other cores.

    Each is held to what `edge.image_file.read_image` holds it to. What a decoder complains of on
    the process's standard error does not tell which of several images it means: those that were
    decoded together are then read again one by one.

    Args:
        classifier: the loaded model.
        files: image files; a folder is one that cannot be read.

    Yields:
        What became of each. An image that cannot be read does not end it.
    """
    blocks = _blocks(files)
    if len(blocks) == 1 and len(blocks[0]) == 1:
        yield _classify(classifier, _read(blocks[0][0]))
        return
    with ThreadPoolExecutor(default_threads()) as pool:
        decoded: list[_Decoded] = []
        for block in [*blocks, []]:
            with captured_native_output() as messages:
                ahead = [pool.submit(_decode, file) for file in block]
                classified = [_classify(classifier, one) for one in decoded]
                decoded = [future.result() for future in ahead]
                complained = any("JPEG" in line for line in messages())
            yield from classified
            decoded = [
                _read(one.path) if complained or one.frame is None else one for one in decoded
            ]


def _blocks(files: Sequence[Path]) -> list[list[Path]]:
    blocks: list[list[Path]] = []
    room = 0
    for file in files:
        size = 0
        with suppress(OSError):
            size = file.stat().st_size
        if not blocks or len(blocks[-1]) == _BLOCK or size > room:
            blocks.append([])
            room = _BLOCK_BYTES + size
        blocks[-1].append(file)
        room -= size
    return blocks


def _decode(path: Path) -> _Decoded:
    """Read a file without a look at what the decoder says."""
    started = time.perf_counter()
    frame: NDArray[np.uint8] | ImageFileError | None
    try:
        frame = decode_image(path.read_bytes(), str(path))
    except ImageFileError as error:
        frame = error
    except OSError:
        frame = None
    return _Decoded(path, frame, (time.perf_counter() - started) * 1e3)


def _read(path: Path) -> _Decoded:
    started = time.perf_counter()
    frame: NDArray[np.uint8] | ImageFileError
    try:
        frame = read_image(path)
    except ImageFileError as error:
        frame = error
    return _Decoded(path, frame, (time.perf_counter() - started) * 1e3)


def _classify(classifier: Classifier, decoded: _Decoded) -> ClassifiedFile:
    frame = decoded.frame
    if not isinstance(frame, np.ndarray):
        return ClassifiedFile(decoded.path, None, frame, decoded.milliseconds)
    try:
        prediction = classifier.classify(frame)
    except FrameError as error:
        return ClassifiedFile(decoded.path, None, error, decoded.milliseconds)
    if not classifier.has_activation:
        return ClassifiedFile(decoded.path, prediction, None, decoded.milliseconds)
    activation = classifier.activation_map(prediction.label)
    return ClassifiedFile(decoded.path, prediction, None, decoded.milliseconds, frame, activation)
