"""Small pictures of a set's images, as data URIs for a page."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from train.audit.white_cells import background_mask
from train.html_page import data_uri

_GAP = 4
_JPEG_QUALITY = 85

#: What white cells are painted over with.
_GREY = 128


def strip(images: Sequence[NDArray[np.uint8]], height: int) -> str:
    """Put images side by side.

    Args:
        images: RGB, uint8, each of shape (any height, any width, 3); one or more.
        height: of the strip in pixels.

    Returns:
        A JPEG as a data URI.
    """
    tiles: list[NDArray[np.uint8]] = []
    for image in images:
        width = max(1, round(image.shape[1] * height / image.shape[0]))
        shrinks = height < image.shape[0]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        tiles.append(
            np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), np.uint8)
        )
        tiles.append(np.full((height, _GAP, 3), 255, np.uint8))
    bgr = cv2.cvtColor(np.hstack(tiles[:-1]), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return data_uri(encoded.tobytes(), "jpeg")


def without_white_cells(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image with everything in grey that does not count as background."""
    painted = image.copy()
    painted[~background_mask(image)] = _GREY
    return painted
