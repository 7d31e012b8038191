"""How a frame lies in the buffers of the fake picamera2: the inverse of `pixel_formats`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: The formats that a stream of the fake can have, the first being what it offers in preference.
FORMATS: tuple[str, ...] = (
    "BGR888",
    "RGB888",
    "XBGR8888",
    "XRGB8888",
    "NV12",
    "NV21",
    "YUV420",
    "YVU420",
)

# Rows begin at multiples of this, as on a Raspberry Pi 5.
_ALIGNMENT_BYTES = 64
_PIXEL_BYTES = {"BGR888": 3, "RGB888": 3, "XBGR8888": 4, "XRGB8888": 4}


def stride_of(pixel_format: str, width: int) -> int:
    """Return the bytes from one row of the first plane to the next, padding included."""
    # The half-width planes of YUV420 have half this stride, and are aligned as well.
    halves = 2 if pixel_format in ("YUV420", "YVU420") else 1
    unit = _ALIGNMENT_BYTES * halves
    return -(-width * _PIXEL_BYTES.get(pixel_format, 1) // unit) * unit


def frame_size_of(pixel_format: str, width: int, height: int) -> int:
    """Return the bytes of a whole frame."""
    rows = height if pixel_format in _PIXEL_BYTES else height * 3 // 2
    return stride_of(pixel_format, width) * rows


def make_array(
    pixels: NDArray[np.uint8], pixel_format: str, size: tuple[int, int], stride: int
) -> NDArray[np.uint8]:
    """Lay out a frame as picamera2's `make_array` returns it.

    Args:
        pixels: RGB, uint8, any size; scaled to `size` where it differs.
        pixel_format: one of `FORMATS`.
        size: width and height in pixels, both even.
        stride: bytes from row to row in the buffer; only the YUV420 formats keep the padding.

    Returns:
        uint8: (height, width, 3 or 4), or (height * 3 / 2, width or stride) for YUV.
    """
    width, height = size
    if pixels.shape[:2] != (height, width):
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    if pixel_format == "BGR888":
        return pixels.copy()
    if pixel_format == "RGB888":
        return np.ascontiguousarray(pixels[..., ::-1])
    if pixel_format == "XBGR8888":
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA), np.uint8)
    if pixel_format == "XRGB8888":
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGRA), np.uint8)
    packed = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420), np.uint8)
    luma = packed[:height]
    first, second = packed[height:].reshape(2, height // 2, width // 2)
    if pixel_format in ("NV21", "YVU420"):
        first, second = second, first
    if pixel_format in ("NV12", "NV21"):
        chroma = np.stack([first, second], axis=-1).reshape(height // 2, width)
        return np.concatenate([luma, chroma])
    padded = np.zeros((height * 3 // 2, stride), np.uint8)
    padded[:height, :width] = luma
    planes = padded[height:].reshape(2, height // 2, stride // 2)
    planes[0, :, : width // 2] = first
    planes[1, :, : width // 2] = second
    return padded
