"""The Raspberry Pi's camera, through picamera2 and libcamera."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

import numpy as np

from edge.cameras.base import Camera, Frame
from edge.cameras.exposure import ExposureLock, measure_exposure
from edge.cameras.picamera2_library import FAILURES, close_quietly, load_library
from edge.cameras.pixel_formats import RGB_SOURCES, to_rgb
from edge.cameras.sensor_time import capture_time, frames_between
from edge.cameras.still import HeldStill, give_back
from edge.errors import CameraError

#: Lies in memory as R, G, B; see `edge.cameras.pixel_formats`.
_PIXEL_FORMAT = "BGR888"
_BUFFERS = 4
# With stills, frames on their way hold their buffers: the one being read, the newest, the one being
# classified, and one that is being kept. Two are left to the camera.
_BUFFERS_WITH_STILLS = 6
# What every pipeline can scale to; a Raspberry Pi 4 offers nothing else in its second stream.
_SCALED_FORMAT = "YUV420"
# Sensors' sizes are rounded to their blocks: 4056 x 3040 is meant to be 4 to 3.
_PROPORTIONS_DIFFER = 0.01
_CHECK_CABLE = (
    "Check the ribbon cable with the power off, then run `rpicam-hello --list-cameras`; "
    "a camera also serves one program at a time"
)


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
        still_size: width and height of the still in pixels, in the frame's proportions and not
            below it; None has none.
        lock: what keeps the settings, over openings and cameras; None leaves them automatic.

    Raises:
        CameraError: the still has other proportions than the frame.
    """

    def __init__(
        self,
        index: int = 0,
        width: int = 640,
        height: int = 480,
        still_size: tuple[int, int] | None = None,
        lock: ExposureLock | None = None,
    ) -> None:
        if still_size is not None and not _is_alike(still_size, (width, height)):
            raise CameraError(
                "A still has the proportions of its frame, which would be distorted otherwise",
                got=f"{still_size[0]} x {still_size[1]} and {width} x {height} pixels",
                next_step="Choose sizes such as 2028 x 1520 and 640 x 480 pixels",
            )
        self.name = f"picamera2:{index}"
        self._index = index
        self._asked_size = (width, height)
        self._still_size = still_size
        self._lock = lock
        self._still_stream: Mapping[str, Any] = {}
        self._stream = "main" if still_size is None else "lores"
        self._stills: WeakSet[HeldStill] = WeakSet()
        self._dropped: deque[Any] = deque()
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
        library = load_library()
        try:
            models = [str(info.get("Model", "?")) for info in library.global_camera_info()]
        except FAILURES as error:
            raise self._failure("A camera answers when cameras are listed", error) from error
        if not 0 <= self._index < len(models):
            raise CameraError(
                f"Camera number {self._index} is connected",
                got=f"cameras {', '.join(models)}" if models else "no camera at all",
                next_step=_CHECK_CABLE,
            )
        try:
            device = library(self._index)
        except FAILURES as error:
            raise self._failure("A camera that is connected can be opened", error) from error
        try:
            self._start(device)
        except FAILURES as error:
            close_quietly(device)
            raise self._failure("A camera accepts its configuration and starts", error) from error
        except CameraError:
            close_quietly(device)
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
        except FAILURES as error:
            raise self._failure("A camera goes on delivering frames", error) from error

    def close(self) -> None:
        """Stop the camera and release it."""
        device, self._device = self._device, None
        self._job = None
        for still in list(self._stills):
            still.release()
        self._release_dropped()
        if device is not None:
            close_quietly(device)

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
        self._still_stream = configured["main"]
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
            small = device.create_video_configuration(main={"size": (320, 240)})
            options = {
                "buffer_count": _BUFFERS_WITH_STILLS,
                "lores": {"size": self._asked_size, "format": _SCALED_FORMAT},
                "colour_space": small["colour_space"],
            }
            main = {"size": self._still_size, "format": _PIXEL_FORMAT}
        if self._lock is not None and self._lock.exposure is not None:
            options["controls"] = self._lock.exposure.controls()
        return device.create_video_configuration(main=main, **options)

    def _release_dropped(self) -> None:
        """Give back the buffers of stills that were dropped with their frames."""
        while self._dropped:
            give_back(self._dropped.popleft())

    def _capture(self, timeout_s: float) -> Frame:
        self._release_dropped()
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
                still = HeldStill(request, self._still_stream, self._dropped)
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


def _is_alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tell whether two sizes have the same proportions, give or take a percent."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1.0) <= _PROPORTIONS_DIFFER
