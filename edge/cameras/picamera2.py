"""The Raspberry Pi's camera, through picamera2 and libcamera."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

import numpy as np

from edge.cameras.base import Camera, Frame
from edge.cameras.pixel_formats import RGB_SOURCES, to_rgb
from edge.errors import CameraError, MissingPackageError

#: Lies in memory as R, G, B; see `edge.cameras.pixel_formats`.
_PIXEL_FORMAT = "BGR888"
_BUFFERS = 4
_CHECK_CABLE = (
    "Check the ribbon cable with the power off, then run `rpicam-hello --list-cameras`; "
    "a camera also serves one program at a time"
)
# What picamera2 raises from a camera in a wrong state or gone; OSError and KeyError come from
# libcamera's bindings, IndexError from earlier releases of picamera2 without a camera.
_FAILURES = (RuntimeError, OSError, LookupError, ValueError, AttributeError, CancelledError)


class Picamera2Camera(Camera):
    """Frames from a camera on the Raspberry Pi's camera connector.

    The camera is asked for RGB frames and row padding is removed. Where a pipeline has none, as
    libcamera may adjust both format and size, YUV frames are converted.

    A frame's `captured_s` is libcamera's SensorTimestamp, the start of the first row's exposure,
    moved to the monotonic clock; the time of reading where the metadata has none. `skipped` comes
    from that timestamp and FrameDuration where both are known, else from libcamera's request
    numbers, and counts every frame not handed out, whether lost or merely not asked for in time.

    Args:
        index: the camera's number, as `rpicam-hello --list-cameras` counts them.
        width: the asked width in pixels.
        height: the asked height in pixels.
    """

    def __init__(self, index: int = 0, width: int = 640, height: int = 480) -> None:
        self.name = f"picamera2:{index}"
        self._index = index
        self._asked_size = (width, height)
        self._size = self._asked_size
        self._device: Any = None
        self._job: Any = None
        self._format = _PIXEL_FORMAT
        self._next = 0
        self._last_request: int | None = None
        self._last_timestamp_ns: int | None = None

    def open(self) -> None:
        """Open, configure and start the camera.

        Raises:
            MissingPackageError: picamera2 is not installed or cannot be loaded.
            CameraError: there is no such camera, another program holds it, or it offers no usable
                pixel format.
        """
        self.close()
        library = _load_library()
        try:
            models = [str(info.get("Model", "?")) for info in library.global_camera_info()]
        except _FAILURES as error:
            raise self._failure("A camera answers when cameras are listed", error) from error
        if not 0 <= self._index < len(models):
            raise CameraError(
                f"Camera number {self._index} is connected",
                got=f"cameras {', '.join(models)}" if models else "no camera at all",
                next_step=_CHECK_CABLE,
            )
        try:
            device = library(self._index)
        except _FAILURES as error:
            raise self._failure("A camera that is connected can be opened", error) from error
        try:
            self._start(device)
        except _FAILURES as error:
            _close_quietly(device)
            raise self._failure("A camera accepts its configuration and starts", error) from error
        except CameraError:
            _close_quietly(device)
            raise
        self._device = device

    def read(self, timeout_s: float = 3.0) -> Frame:
        """Wait for the next frame.

        Args:
            timeout_s: the longest wait in seconds.

        Returns:
            The frame; a camera never ends.

        Raises:
            CameraError: no frame came within the time, the camera failed, or it is not open.
        """
        if self._device is None:
            raise self.not_open()
        try:
            return self._capture(max(timeout_s, 0.0))
        except TimeoutError as error:
            raise CameraError(
                f"{self.name} delivers a frame within {timeout_s:g} s",
                got="none",
                next_step=_CHECK_CABLE,
            ) from error
        except _FAILURES as error:
            raise self._failure("A camera goes on delivering frames", error) from error

    def close(self) -> None:
        """Stop the camera and release it."""
        device, self._device = self._device, None
        self._job = None
        if device is not None:
            _close_quietly(device)

    def _start(self, device: Any) -> None:
        wanted = {"size": self._asked_size, "format": _PIXEL_FORMAT}
        device.configure(device.create_video_configuration(main=wanted, buffer_count=_BUFFERS))
        main = device.camera_configuration()["main"]
        if main["format"] not in RGB_SOURCES:
            raise CameraError(
                "A camera delivers a pixel format that can be turned into RGB",
                got=f"{main['format']} from {self.name}",
                next_step=f"Choose a camera with one of {', '.join(RGB_SOURCES)}",
            )
        self._format = str(main["format"])
        self._size = (int(main["size"][0]), int(main["size"][1]))
        self._next = 0
        self._last_request = self._last_timestamp_ns = None
        device.start()

    def _capture(self, timeout_s: float) -> Frame:
        job, self._job = self._job, None
        if job is not None:
            # The job of a read that timed out: a frame that has come since is old, so let it go.
            try:
                job.get_result(timeout=0.0).release()
                job = None
            except TimeoutError:
                pass
        if job is None:
            job = self._device.capture_request(wait=False)
        try:
            request = job.get_result(timeout=timeout_s)
        except TimeoutError:
            self._job = job
            raise
        try:
            array = request.make_array("main")
            metadata = request.get_metadata()
            number = getattr(request.request, "sequence", None)
        finally:
            request.release()
        skipped = self._missing_before(number, metadata)
        sequence = self._next + skipped
        self._next = sequence + 1
        return Frame(
            pixels=to_rgb(np.asarray(array, np.uint8), self._format, *self._size),
            sequence=sequence,
            captured_s=_capture_time(metadata),
            skipped=skipped,
        )

    def _missing_before(self, request: int | None, metadata: Mapping[str, Any]) -> int:
        """Count the frames between the last one handed out and this one."""
        timestamp_ns = metadata.get("SensorTimestamp")
        duration_us = metadata.get("FrameDuration")
        last_request, self._last_request = self._last_request, request
        last_ns, self._last_timestamp_ns = self._last_timestamp_ns, timestamp_ns
        steps: int = 1
        if timestamp_ns and last_ns and duration_us:
            steps = round((timestamp_ns - last_ns) / (1000 * duration_us))
        elif request is not None and last_request is not None:
            steps = request - last_request
        return max(steps - 1, 0)

    def _failure(self, rule: str, error: BaseException) -> CameraError:
        """Return a CameraError that names the innermost reason."""
        reason: BaseException = error
        while reason.__cause__ is not None:
            reason = reason.__cause__
        got = f"{type(reason).__name__} from {self.name}"
        if str(reason):
            got = f"{got}: {reason}"
        return CameraError(rule, got=got, next_step=_CHECK_CABLE)


def monotonic_seconds(timestamp_ns: int, monotonic_ns: int, boottime_ns: int) -> float:
    """Move a sensor's timestamp to the monotonic clock.

    libcamera documents SensorTimestamp as CLOCK_BOOTTIME, while the Raspberry Pi's drivers stamp
    buffers with CLOCK_MONOTONIC; the two differ by the time the machine was suspended. A frame
    cannot come from the future, so the clock that makes it youngest without that is the right one.

    Args:
        timestamp_ns: the timestamp in nanoseconds.
        monotonic_ns: CLOCK_MONOTONIC now, in nanoseconds.
        boottime_ns: CLOCK_BOOTTIME now, in nanoseconds.

    Returns:
        Seconds of CLOCK_MONOTONIC; that clock's now where the timestamp fits neither clock.
    """
    ages = [clock - timestamp_ns for clock in (monotonic_ns, boottime_ns)]
    age = min((age for age in ages if age >= 0), default=0)
    return (monotonic_ns - age) / 1e9


def _capture_time(metadata: Mapping[str, Any]) -> float:
    timestamp_ns = metadata.get("SensorTimestamp")
    if not timestamp_ns:
        return time.monotonic()
    boottime_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return monotonic_seconds(int(timestamp_ns), time.monotonic_ns(), boottime_ns)


def _load_library() -> Any:
    """Import picamera2 and return its class."""
    try:
        return import_module("picamera2").Picamera2
    except ImportError as error:
        raise MissingPackageError(
            "The Raspberry Pi's camera needs picamera2, from Raspberry Pi OS's own packages",
            got=error,
            next_step="Run `sudo apt install python3-picamera2`, and make the environment of "
            "blastscope with `python3 -m venv --system-site-packages`",
        ) from error
    except Exception as error:  # a numpy of another ABI raises ValueError, a broken library OSError
        raise MissingPackageError(
            "picamera2 loads together with the numpy of this environment",
            got=f"{type(error).__name__}: {error}",
            next_step="Remove numpy from the environment so that Raspberry Pi OS's own is used",
        ) from error


def _close_quietly(device: Any) -> None:
    """Close a device whose hardware may be gone: there is nothing left to do when that fails."""
    try:
        device.close()
    except _FAILURES:
        return
