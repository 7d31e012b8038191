"""What a capture of the fake picamera2 hands over: a completed request, or a job to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.cameras.fake_buffers import make_array

if TYPE_CHECKING:
    from edge.cameras.fake_picamera2 import Picamera2


class LibcameraRequest:
    """The part of libcamera's Request that tells a frame's number."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence


class CompletedRequest:
    """A frame with its metadata; it occupies a buffer of the camera until it is released."""

    def __init__(
        self, camera: Picamera2, pixels: NDArray[np.uint8], sequence: int, metadata: dict[str, Any]
    ) -> None:
        self.request: LibcameraRequest | None = LibcameraRequest(sequence)
        self.config: dict[str, Any] = dict(camera.camera_config)
        self.ref_count = 1
        self._camera = camera
        self._start = camera.start_count
        self._pixels = pixels
        self._metadata = metadata

    def acquire(self) -> None:
        """Add a user of this request."""
        if self.ref_count == 0:
            raise RuntimeError("CompletedRequest: acquiring lock with ref_count 0")
        self.ref_count += 1

    def release(self) -> None:
        """Remove a user; the last one returns the buffer to the camera."""
        self.ref_count -= 1
        if self.ref_count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        if self.ref_count == 0:
            self.request = None
            self.config = {}
            if self._start == self._camera.start_count:
                self._camera.buffers_out -= 1

    def make_array(self, name: str) -> NDArray[np.uint8]:
        """Return a copy of a stream's pixels in the configured format."""
        stream = self.config.get(name)
        if stream is None:
            raise RuntimeError(f"Stream {name!r} is not defined")
        return make_array(self._pixels, stream["format"], stream["size"], stream["stride"])

    def get_metadata(self) -> dict[str, Any]:
        """Return the frame's metadata; times in nanoseconds (SensorTimestamp) or microseconds."""
        if self.request is None:
            raise AssertionError
        return dict(self._metadata)


class Job:
    """What a capture with wait=False returns."""

    def __init__(self, camera: Picamera2, finish: Callable[[CompletedRequest], Any]) -> None:
        self._camera = camera
        self._finish = finish
        self._cancelled = False

    def get_result(self, timeout: float | None = None) -> Any:
        """Wait for the result; `timeout` in seconds, None waits for ever."""
        request = self._camera.next_request(timeout, lambda: self._cancelled)
        self._camera.jobs.discard(self)
        return self._finish(request)

    def cancel(self) -> None:
        """Let whoever waits for the result have CancelledError."""
        self._cancelled = True
