"""libcamera's pixel formats, as picamera2 hands them over, to RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import CameraError

#: Formats that can be turned into RGB. libcamera names the 24- and 32-bit ones after the order
#: within a little-endian word, so that "BGR888" lies in memory as R, G, B and "RGB888" as B, G, R:
#: https://libcamera.org/api-html/namespacelibcamera_1_1formats.html
RGB_SOURCES: tuple[str, ...] = (
    "BGR888",
    "RGB888",
    "XBGR8888",
    "XRGB8888",
    "NV12",
    "NV21",
    "YUV420",
    "YVU420",
    "YUYV",
    "UYVY",
    "MJPEG",
)

_CONVERSIONS = {
    "NV12": cv2.COLOR_YUV2RGB_NV12,
    "NV21": cv2.COLOR_YUV2RGB_NV21,
    "YUV420": cv2.COLOR_YUV2RGB_I420,
    "YVU420": cv2.COLOR_YUV2RGB_YV12,
    "YUYV": cv2.COLOR_YUV2RGB_YUYV,
    "UYVY": cv2.COLOR_YUV2RGB_UYVY,
}


def to_rgb(
    array: NDArray[np.uint8], pixel_format: str, width: int, height: int
) -> NDArray[np.uint8]:
    """Turn an array of picamera2's `make_array` into an RGB frame.

    YUV is taken as ITU-R BT.601, limited range, which is what picamera2 configures below
    1280 x 720 pixels and what OpenCV's integer conversion implements.

    Args:
        array: uint8; (height, width, 3) or (height, width, 4) for the RGB formats and MJPEG,
            (height * 3 / 2, row length) for the planar YUV formats, (height, row length, 2) for
            YUYV and UYVY. A row may be longer than the width: the rest is padding.
        pixel_format: libcamera's name, one of `RGB_SOURCES`.
        width: frame width in pixels, even for YUV.
        height: frame height in pixels, even for planar YUV.

    Returns:
        RGB, uint8, shape (height, width, 3), contiguous.

    Raises:
        CameraError: the format is not one of `RGB_SOURCES`, or the array does not fit it.
    """
    if pixel_format in ("BGR888", "MJPEG"):
        pixels = array
    elif pixel_format == "RGB888":
        pixels = array[..., ::-1]
    elif pixel_format == "XBGR8888":
        pixels = array[..., :3]
    elif pixel_format == "XRGB8888":
        pixels = array[..., 2::-1]
    elif pixel_format in _CONVERSIONS:
        try:
            pixels = np.asarray(cv2.cvtColor(array, _CONVERSIONS[pixel_format]), np.uint8)
        except cv2.error as error:
            raise _misfit(array, pixel_format, width, height) from error
    else:
        raise CameraError(
            "A camera delivers a pixel format that can be turned into RGB",
            got=pixel_format,
            next_step=f"Choose a camera or mode with one of {', '.join(RGB_SOURCES)}",
        )
    pixels = pixels[:height, :width]
    if pixels.shape != (height, width, 3):
        raise _misfit(array, pixel_format, width, height)
    return np.ascontiguousarray(pixels)


def _misfit(array: NDArray[np.uint8], pixel_format: str, width: int, height: int) -> CameraError:
    return CameraError(
        f"A {pixel_format} frame of {width} x {height} pixels fills its array",
        got=f"an array of shape {array.shape}",
        next_step="Ask the camera for another size",
    )
