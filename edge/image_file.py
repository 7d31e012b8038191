"""Image files as frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageFileError
from edge.native_output import captured_native_output

#: File name endings that count as images, in lower case.
IMAGE_SUFFIXES: frozenset[str] = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})

_JPEG_START = b"\xff\xd8"

_NEXT_STEP = "Export the image again as an 8-bit RGB JPEG, PNG, BMP or TIFF"


def is_image_name(path: Path) -> bool:
    """Tell whether a file's name ends as an image's does; hidden files do not count."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def list_images(folder: Path) -> list[Path]:
    """Return the image files directly inside a folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if is_image_name(path) and path.is_file())


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read an 8-bit colour image.

    Grey, 16-bit and transparent images are refused rather than converted: each would reach the
    network as something it has never been trained on. So is a JPEG of which the decoder says that
    its data are corrupt: OpenCV hides that from its caller and fills what is lost with grey.

    Not for several threads at once, since the decoder's words are caught on their way to the
    process's standard error; `decode_image` is, without that check.

    Args:
        path: a JPEG, PNG, BMP or TIFF file.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ImageFileError: the file is absent, no image, damaged, or not 8-bit RGB.
    """
    path = Path(path)
    if path.is_dir():
        raise ImageFileError(
            "An image is a file, and a folder in its place holds JPEG, PNG, BMP or TIFF images",
            got=f"none in {path}",
            next_step="Check the path",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageFileError(
            f"The image {path} must be a readable file",
            got=error.strerror or error,
            next_step="Check the path and its permissions",
        ) from error
    if not data.startswith(_JPEG_START):
        return decode_image(data, str(path))
    with captured_native_output() as messages:
        frame = decode_image(data, str(path))
        complaints = [line for line in messages() if "JPEG" in line]
    if complaints:
        raise ImageFileError(
            f"The image {path} must be undamaged",
            got=complaints[0].strip(),
            next_step="Copy the file again, or take the image again",
        )
    return frame


def decode_image(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode the bytes of an image file; `name` is used in messages only.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ImageFileError: no image, damaged, or not 8-bit RGB.
    """
    rule = f"The image {name} must be a complete 8-bit RGB image"
    if _is_cut_short(data):
        raise ImageFileError(
            rule, got=f"a truncated file of {len(data)} bytes", next_step="Copy the file again"
        )
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise ImageFileError(rule, got="bytes that are no image", next_step=_NEXT_STEP)
    if decoded.dtype != np.uint8:
        raise ImageFileError(rule, got=f"{decoded.dtype} values", next_step=_NEXT_STEP)
    if decoded.ndim != 3 or decoded.shape[2] != 3:
        kind = "a grey image" if decoded.ndim == 2 else "an RGBA image"
        raise ImageFileError(rule, got=kind, next_step=_NEXT_STEP)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def jpeg_pixels(data: bytes) -> int:
    """Return how many pixels a JPEG's header tells, without decoding it; 0 where it tells none.

    ITU-T T.81, annex B: a frame header is a marker FF C0 to FF CF, other than the three that
    are tables, a length, a byte of precision, and two bytes each of height and width.
    """
    position = len(_JPEG_START)
    while data.startswith(_JPEG_START) and position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            return height * int.from_bytes(data[position + 7 : position + 9], "big")
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return 0


def _is_cut_short(data: bytes) -> bool:
    """Tell whether a JPEG or PNG lacks its end: OpenCV fills the missing part with grey."""
    if data.startswith(_JPEG_START):
        return data.find(b"\xff\xd9", _jpeg_scan_start(data)) < 0
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" not in data[-64:]
    return False


def _jpeg_scan_start(data: bytes) -> int:
    """Return where a JPEG's pixels begin; the headers before may hold a whole thumbnail.

    ITU-T T.81, annex B: each header segment is a marker FF xx and a length that counts itself; the
    pixels follow the segment FF DA. Files that break off before give their own length.
    """
    position = len(_JPEG_START)
    while position + 4 <= len(data) and data[position] == 0xFF:
        if data[position + 1] == 0xDA:
            return position
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return len(data)
