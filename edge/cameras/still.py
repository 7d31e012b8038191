"""The full picture behind a frame, left in the camera's buffer until somebody wants it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.cameras.pixel_formats import to_rgb
from edge.errors import CameraError


class HeldStill:
    """A still in a buffer of picamera2's, which goes back when the last frame with it is dropped.

    A camera has few buffers: who keeps several frames keeps their pixels, and releases this.

    Args:
        request: the completed request, which is released here.
        stream: the configuration of its main stream.
        dropped: where the request goes when this is dropped without `release`, for the camera to
            release. That may be at any moment, within picamera2's own locks too.
    """

    def __init__(self, request: Any, stream: Mapping[str, Any], dropped: deque[Any]) -> None:
        self._dropped = dropped
        self._lock = threading.Lock()
        self._request: Any = request
        self._format = str(stream["format"])
        self._size = (int(stream["size"][0]), int(stream["size"][1]))

    def pixels(self) -> NDArray[np.uint8]:
        """Copy the still out.

        Returns:
            RGB, uint8, shape (height, width, 3).

        Raises:
            CameraError: it was released, or its camera was closed.
        """
        with self._lock:
            if self._request is None:
                raise CameraError(
                    "A still is taken while its camera is open, before it is released",
                    got="one that was released",
                    next_step="Take it while the frame is in hand",
                )
            array = np.asarray(self._request.make_array("main"), np.uint8)
        return to_rgb(array, self._format, *self._size)

    def release(self) -> None:
        """Give the buffer back to the camera; twice is harmless."""
        with self._lock:
            request, self._request = self._request, None
        if request is not None:
            give_back(request)

    def __del__(self) -> None:
        if self._request is not None:
            self._dropped.append(self._request)


def give_back(request: Any) -> None:
    """Release a request of a camera that may be gone, and its buffers with it."""
    with suppress(Exception):
        request.release()
