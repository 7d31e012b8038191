"""The Raspberry Pi's camera, through picamera2 and libcamera."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any
from weakref import WeakSet

import numpy as np

from edge.cameras.base import Camera, Frame
from edge.cameras.exposure import ExposureLock, measure_exposure
from edge.cameras.pixel_formats import RGB_SOURCES, to_rgb
from edge.cameras.sensor_time import capture_time, frames_between
from edge.cameras.still import HeldStill
from edge.errors import CameraError, MissingPackageError

#: Lies in memory as R, G, B; see `edge.cameras.pixel_formats`.
_PIXEL_FORMAT = "BGR888"
_BUFFERS = 4
# With stills, frames on their way hold their buffers: the one being read, the newest, the one being
# classified, and one that is being kept. Two are left to the camera.
_BUFFERS_WITH_STILLS = 6
# What every pipeline can scale to; a Raspberry Pi 4 offers nothing else in its second stream.
_SCALED_FORMAT = "YUV420"
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

    With `still_size` the camera delivers two pictures of each moment: the image processor scales
    one down for the network, the other stays in its buffer, and is copied out only when
    `Frame.still.pixels` is asked for it.

    With `lock`, exposure, gain and white balance are measured when the camera is opened for the
    first time, which must see an empty field then, and are kept from there on: smears that are
    exposed alike can be compared. Each frame's `metadata` tells what held for it.

    Args:
        index: the camera's number, as `rpicam-hello --list-cameras` counts them.
        width: the asked width in pixels.
        height: the asked height in pixels.
        still_size: width and height of the still in pixels, not below the frame's; None has none.
        lock: what keeps the settings, over openings and cameras; None leaves them automatic.
    """

    def __init__(
        self,
        index: int = 0,
        width: int = 640,
        height: int = 480,
        still_size: tuple[int, int] | None = None,
        lock: ExposureLock | None = None,
    ) -> None:
        self.name = f"picamera2:{index}"
        self._index = index
        self._asked_size = (width, height)
        self._still_size = still_size
        self._lock = lock
        self._stream = "main" if still_size is None else "lores"
        self._stills: WeakSet[HeldStill] = WeakSet()
        self._size = self._asked_size
        self._device: Any = None
        self._job: Any = None
        self._format = _PIXEL_FORMAT
        self._next = 0
        self._last_request: int | None = None
        self._last: Mapping[str, Any] = {}

    def open(self) -> None:
        """Open, configure and start the camera.

        Raises:
            MissingPackageError: picamera2 is not installed or cannot be loaded.
            CameraError: there is no such camera, another program holds it, it offers no usable
                pixel format, or its exposure cannot be locked.
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
        for still in list(self._stills):
            still.release()
        if device is not None:
            _close_quietly(device)

    def _start(self, device: Any) -> None:
        device.configure(self._configuration(device))
        configured = device.camera_configuration()
        for name in {"main", self._stream}:
            if configured[name]["format"] not in RGB_SOURCES:
                raise CameraError(
                    "A camera delivers a pixel format that can be turned into RGB",
                    got=f"{configured[name]['format']} from {self.name}",
                    next_step=f"Choose a camera with one of {', '.join(RGB_SOURCES)}",
                )
        stream = configured[self._stream]
        self._format = str(stream["format"])
        self._size = (int(stream["size"][0]), int(stream["size"][1]))
        self._next = 0
        self._last, self._last_request = {}, None
        device.start()
        if self._lock is not None and self._lock.exposure is None:
            self._lock.exposure = measure_exposure(device, self.name)
            device.set_controls(self._lock.exposure.controls())

    def _configuration(self, device: Any) -> Any:
        """Return picamera2's configuration for what was asked."""
        options: dict[str, Any] = {"buffer_count": _BUFFERS}
        main = {"size": self._asked_size, "format": _PIXEL_FORMAT}
        if self._still_size is not None:
            # YUV is taken as BT.601, which picamera2 chooses by itself for small pictures alone.
            small = device.create_video_configuration(main=main)
            options = {
                "buffer_count": _BUFFERS_WITH_STILLS,
                "lores": {"size": self._asked_size, "format": _SCALED_FORMAT},
                "colour_space": small["colour_space"],
            }
            main = {"size": self._still_size, "format": _PIXEL_FORMAT}
        if self._lock is not None and self._lock.exposure is not None:
            options["controls"] = self._lock.exposure.controls()
        return device.create_video_configuration(main=main, **options)

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
        still = None
        try:
            array = request.make_array(self._stream)
            metadata = request.get_metadata()
            number = getattr(request.request, "sequence", None)
            if self._still_size is not None:
                still = HeldStill(request, self._device.camera_configuration()["main"])
                self._stills.add(still)
        finally:
            if still is None:
                request.release()
        skipped = frames_between(self._last, metadata, self._last_request, number)
        self._last, self._last_request = metadata, number
        sequence = self._next + skipped
        self._next = sequence + 1
        return Frame(
            pixels=to_rgb(np.asarray(array, np.uint8), self._format, *self._size),
            sequence=sequence,
            captured_s=capture_time(metadata),
            skipped=skipped,
            metadata=metadata,
            still=still,
        )

    def _failure(self, rule: str, error: BaseException) -> CameraError:
        """Return a CameraError that names the innermost reason."""
        reason: BaseException = error
        while reason.__cause__ is not None:
            reason = reason.__cause__
        got = f"{type(reason).__name__} from {self.name}"
        if str(reason):
            got = f"{got}: {reason}"
        return CameraError(rule, got=got, next_step=_CHECK_CABLE)


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
