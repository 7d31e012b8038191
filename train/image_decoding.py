"""Many image files decoded at once, strictly."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

import edge.cell_crop
import edge.image_file
import edge.preprocess
from edge.cell_crop import CellCrop
from edge.errors import FrameError, ImageFileError
from edge.image_file import decode_image, read_image
from edge.native_output import captured_native_output
from edge.preprocess import preprocess
from train.image_cache import DecodedImages

#: Called with (images done, images in all).
Progress = Callable[[int, int], None]

#: Side in pixels of the grey thumbnails that near-identical images are found by.
THUMBNAIL_SIDE = 32

#: A set with a file changed less than this many seconds ago has no key: a second change within a
#: file system's time step would leave the file's status as it was. FAT's step is 2 s.
SETTLED_AFTER_S = 2.0

#: Files that are decoded side by side before it is asked whether the decoder complained.
_BLOCK = 128


def decode_images(
    files: Sequence[Path],
    height: int,
    width: int,
    progress: Progress | None = None,
    cell: CellCrop | None = None,
) -> tuple[DecodedImages, dict[int, str]]:
    """Decode and preprocess image files on all cores.

    A damaged JPEG is found as `edge.image_file.read_image` finds it, by what the decoder says on
    the process's standard error. That does not tell which of the images decoded at that moment it
    means, so those are then read again one by one.

    Args:
        files: JPEG, PNG, BMP or TIFF files.
        height: of the decoded images in pixels.
        width: of the decoded images in pixels.
        progress: called with (images read, images in all) as the reading goes on.
        cell: the square to cut out around the cell of each; None for fields.

    Returns:
        The images that can be read, in the order of the files, and for the position of each other
        file what is wrong with it.
    """
    images = np.empty((len(files), height, width, 3), np.uint8)
    thumbnails = np.empty((len(files), THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.uint8)
    digests = [""] * len(files)
    problems: dict[int, str] = {}

    def read(index: int) -> None:
        try:
            data = files[index].read_bytes()
            frame = decode_image(data, str(files[index]))
            preprocess(frame, height, width, out=images[index], cell=cell)
        except (ImageFileError, FrameError) as error:
            problems[index] = str(error.got)
            return
        except OSError as error:
            problems[index] = error.strerror or str(error)
            return
        digests[index] = hashlib.sha256(data).hexdigest()
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        cv2.resize(grey, size, dst=thumbnails[index], interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), _BLOCK):
            block = range(start, min(start + _BLOCK, len(files)))
            with captured_native_output() as messages:
                list(pool.map(read, block))
                complained = any("JPEG" in line for line in messages())
            if complained:
                problems |= _damaged(files, [index for index in block if index not in problems])
            if progress is not None:
                progress(block.stop, len(files))
    kept = [index for index in range(len(files)) if index not in problems]
    if problems:
        images, thumbnails = images[kept], thumbnails[kept]
    for array in (images, thumbnails):
        array.flags.writeable = False
    return DecodedImages(images, thumbnails, tuple(digests[index] for index in kept)), problems


def decoding_key(
    root: Path, files: Sequence[Path], height: int, width: int, cell: CellCrop | None = None
) -> str | None:
    """Return a name for what decoding these files gives, from their status and not their content.

    A file that is written again in place gets another status. So does the result another name when
    OpenCV or the code that makes it changes.

    Args:
        root: the image set's folder.
        files: the image files in the set's order.
        height: of the decoded images in pixels.
        width: of the decoded images in pixels.
        cell: the square that is cut out around the cell of each.

    Returns:
        A file name; None if a file was changed less than `SETTLED_AFTER_S` ago, or is not there.
    """
    states = []
    settled_before = time.time_ns() - int(SETTLED_AFTER_S * 1e9)
    for file in files:
        try:
            state = file.stat()
        except OSError:
            return None
        if state.st_ctime_ns > settled_before:
            return None
        name = file.relative_to(root).as_posix()
        states.append((name, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
    facts = (_code_digest(), os.fspath(root.resolve()), height, width, cell, states)
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()


def _code_digest() -> str:
    """SHA-256 of what turns a file into pixels: OpenCV's version and the code of four modules."""
    digest = hashlib.sha256(cv2.__version__.encode())
    for module in (
        edge.image_file.__file__,
        edge.cell_crop.__file__,
        edge.preprocess.__file__,
        __file__,
    ):
        digest.update(Path(module).read_bytes())
    return digest.hexdigest()


def _damaged(files: Sequence[Path], indices: Sequence[int]) -> dict[int, str]:
    """Read files one by one, and return what is wrong with those that are damaged."""
    problems = {}
    for index in indices:
        try:
            read_image(files[index])
        except ImageFileError as error:
            problems[index] = str(error.got)
    return problems
