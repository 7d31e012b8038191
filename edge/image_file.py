"""Image files as frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageFileError

#: File name endings that count as images, in lower case.
IMAGE_SUFFIXES: frozenset[str] = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})

_NEXT_STEP = "Export the image again as an 8-bit RGB JPEG, PNG, BMP or TIFF"


def is_image_name(path: Path) -> bool:
    """Tell whether a file's name ends as an image's does; hidden files do not count."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def list_images(folder: Path) -> list[Path]:
    """Return the image files directly inside a folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if is_image_name(path) and path.is_file())


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an 8-bit colour image.

    Grey, 16-bit and transparent images are refused rather than converted: each would reach the
    network as something it has never been trained on.

    Args:
        path: a JPEG, PNG, BMP or TIFF file.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ImageFileError: the file is absent, no image, damaged, or not 8-bit RGB.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageFileError(
            f"The image {path} must be a readable file",
            got=error.strerror or error,
            next_step="Check the path and its permissions",
        ) from error
    return decode_image(data, str(path))


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


def _is_cut_short(data: bytes) -> bool:
    """Tell whether a JPEG or PNG lacks its end: OpenCV fills the missing part with grey."""
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in data[-4096:]
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" not in data[-64:]
    return False
