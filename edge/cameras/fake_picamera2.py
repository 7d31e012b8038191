"""A stand-in for picamera2, for tests and for trying an application without a Raspberry Pi.

It has the part of picamera2's interface that takes frames, and behaves there as release 0.3.38
does: the same configuration dictionaries, array layouts, state errors and waiting. Its sensor
takes a frame when one is waited for, so nothing runs in the background and no frame is lost unless
the source says so. The raw stream, previews, encoders and signal functions are absent.

Example:
    >>> with installed(frames=np.full((480, 640, 3), 200, np.uint8)):
    ...     with open_camera("picamera2") as camera:
    ...         frame = camera.read()
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import ModuleType, TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edge.cameras.fake_buffers import FORMATS, frame_size_of, stride_of
from edge.cameras.fake_requests import CompletedRequest, Job
from edge.labels import SMEAR_LABELS

#: What the sensor sees: one frame for ever, several in turn, or a function of the frame's number,
#: from 0, that returns None for a frame that is lost. RGB, uint8, (height, width, 3).
FrameSource = (
    NDArray[np.uint8] | Sequence[NDArray[np.uint8]] | Callable[[int], NDArray[np.uint8] | None]
)

_POLL_S = 0.005
_CONTROLS: dict[str, tuple[Any, Any, Any]] = {
    "AeEnable": (False, True, None),
    "AnalogueGain": (1.0, 16.0, 1.0),
    "AwbEnable": (False, True, None),
    "ColourGains": (0.0, 32.0, None),
    "ExposureTime": (60, 66_000, 20_000),
    "FrameDurationLimits": (33_333, 1_000_000, None),
}


@dataclass
class _Library:
    """What the cameras of one installed module share."""

    frames: Callable[[int, int, int], NDArray[np.uint8] | None]
    metadata: Callable[[int], Mapping[str, Any]]
    models: tuple[str, ...]
    formats: tuple[str, ...]
    held: set[int] = field(default_factory=set)


class Picamera2:
    """The camera class; `installed` makes a subclass of its own for each installation."""

    library: _Library

    def __init__(self, camera_num: int = 0) -> None:
        self.is_open = False
        self.started = False
        self.camera_config: dict[str, Any] = {}
        self.start_count = 0
        self.buffers_out = 0
        self._controls: dict[str, Any] = {}
        self._numbers = count()
        self.jobs: set[Job] = set()
        if camera_num >= len(self.library.models):
            raise RuntimeError(
                f"No camera number {camera_num} found - "
                'use "rpicam-hello --list-cameras" to check connected cameras'
            )
        self.camera_idx = range(len(self.library.models))[camera_num]
        if self.camera_idx in self.library.held:
            cause = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from cause
        self.library.held.add(self.camera_idx)
        self.is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        """Return one dictionary for each connected camera."""
        return [
            {"Model": model, "Location": 2, "Rotation": 0, "Id": f"/fake/{model}@{num}", "Num": num}
            for num, model in enumerate(cls.library.models)
        ]

    @property
    def camera_properties(self) -> dict[str, Any]:
        """What is fixed about the camera; empty once it is closed."""
        if not self.is_open:
            return {}
        model = self.library.models[self.camera_idx]
        return {"Model": model, "Location": 2, "Rotation": 0}

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        """The controls with their least, greatest and default values; empty once closed."""
        return dict(_CONTROLS) if self.is_open else {}

    def create_preview_configuration(
        self,
        main: Mapping[str, Any] | None = None,
        lores: Mapping[str, Any] | None = None,
        colour_space: object = None,
        buffer_count: int = 4,
        controls: Mapping[str, Any] | None = None,
        queue: bool = True,
        use_case: str = "preview",
    ) -> dict[str, Any]:
        """Make a configuration for looking at the picture, 640 x 480 unless said otherwise."""
        return self._configuration(
            (640, 480), main, lores, colour_space, buffer_count, controls, queue, use_case
        )

    def create_video_configuration(
        self,
        main: Mapping[str, Any] | None = None,
        lores: Mapping[str, Any] | None = None,
        colour_space: object = None,
        buffer_count: int = 6,
        controls: Mapping[str, Any] | None = None,
        queue: bool = True,
        use_case: str = "video",
    ) -> dict[str, Any]:
        """Make a configuration for video, 1280 x 720 unless said otherwise."""
        return self._configuration(
            (1280, 720), main, lores, colour_space, buffer_count, controls, queue, use_case
        )

    def configure(self, camera_config: Mapping[str, Any] | str | None = None) -> None:
        """Apply a configuration; the camera adjusts what it does not have."""
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        if not self.is_open:
            raise AttributeError("'NoneType' object has no attribute 'generate_configuration'")
        if camera_config is None or isinstance(camera_config, str):
            video = camera_config == "video"
            make = self.create_video_configuration if video else self.create_preview_configuration
            camera_config = make()
        if not isinstance(camera_config, dict):
            raise TypeError("Invalid type for `camera_config` given")
        self.camera_config = {}
        streams = {"main": self._stream(camera_config, "main")}
        if camera_config["lores"] is not None:
            streams["lores"] = self._stream(camera_config, "lores")
            sides = zip(streams["lores"]["size"], streams["main"]["size"], strict=True)
            if any(small > large for small, large in sides):
                raise RuntimeError("lores stream dimensions may not exceed main stream")
        self._controls = {}
        self.camera_config = {**camera_config, **streams}
        self.set_controls(camera_config["controls"])

    def camera_configuration(self) -> dict[str, Any]:
        """Return the configuration as the camera adjusted it; empty before `configure`."""
        return self.camera_config

    def set_controls(self, controls: Mapping[str, Any]) -> None:
        """Set controls for the frames to come."""
        for name, value in controls.items():
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            self._controls[name] = value

    def start(self, config: Mapping[str, Any] | str | None = None) -> None:
        """Start the sensor, in the preview configuration if there is none yet."""
        if not self.is_open and config is None:
            raise TypeError("'NoneType' object is not subscriptable")
        if config is not None or not self.camera_config:
            self.configure(config)
        if not self.started:
            self.start_count += 1
            self.buffers_out = 0
            self._numbers = count()
            self.started = True

    def stop(self) -> None:
        """Stop the sensor; stopping twice is harmless."""
        self.started = False

    def close(self) -> None:
        """Release the camera; closing twice is harmless."""
        if not self.is_open:
            return
        self.stop()
        self.library.held.discard(self.camera_idx)
        self.is_open = False
        self.camera_config = {}

    def cancel_all_and_flush(self) -> None:
        """Cancel every capture that still waits."""
        for job in self.jobs:
            job.cancel()
        self.jobs.clear()

    def capture_request(self, wait: bool | float | None = None) -> Any:
        """Take the next frame with its buffer; the caller releases it."""
        return self._dispatch(lambda request: request, wait)

    def capture_array(self, name: str = "main", wait: bool | float | None = None) -> Any:
        """Take the next frame's pixels."""
        return self._dispatch(
            lambda request: _release(request, lambda: request.make_array(name)), wait
        )

    def capture_metadata(self, wait: bool | float | None = None) -> Any:
        """Take the next frame's metadata."""
        return self._dispatch(lambda request: _release(request, request.get_metadata), wait)

    def capture_arrays(
        self, names: Sequence[str] = ("main",), wait: bool | float | None = None
    ) -> Any:
        """Take the next frame's pixels, one array for each stream named, and its metadata."""

        def take(request: CompletedRequest) -> tuple[list[NDArray[np.uint8]], dict[str, Any]]:
            return [request.make_array(name) for name in names], request.get_metadata()

        return self._dispatch(lambda request: _release(request, lambda: take(request)), wait)

    def next_request(
        self, timeout: float | None, cancelled: Callable[[], bool]
    ) -> CompletedRequest:
        """Wait for a frame as picamera2's event loop does.

        Args:
            timeout: the longest wait in seconds; None waits for ever.
            cancelled: tells whether to give up.

        Raises:
            TimeoutError: no frame came; also where the camera is stopped or all its buffers are
                taken, for picamera2 does not tell these apart.
            CancelledError: the capture was cancelled.
            RuntimeError: the wait would last for ever, which only the real picamera2 allows.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if cancelled():
                raise CancelledError
            running = self.started and self.buffers_out < self.camera_config["buffer_count"]
            if running:
                request = self._expose()
                if request is not None:
                    return request
            if deadline is None and not running:
                raise RuntimeError("picamera2 would wait here for ever")
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            time.sleep(_POLL_S)

    def _dispatch(
        self,
        finish: Callable[[CompletedRequest], Any],
        wait: bool | float | None,
    ) -> Any:
        job = Job(self, finish)
        if wait is not None and not wait:
            self.jobs.add(job)
            return job
        return job.get_result(None if wait is None or wait is True else float(wait))

    def _expose(self) -> CompletedRequest | None:
        """Take one frame from the source; None where it is lost."""
        number = next(self._numbers)
        pixels = self.library.frames(number, *self.camera_config["main"]["size"])
        if pixels is None:
            return None
        metadata: dict[str, Any] = {
            "SensorTimestamp": time.monotonic_ns(),
            "ExposureTime": 20_000,
            "AnalogueGain": 1.0,
            "ColourGains": (1.0, 1.0),
            **self.library.metadata(number),
        }
        for name in ("ExposureTime", "AnalogueGain", "ColourGains"):
            if name in self._controls:
                metadata[name] = self._controls[name]
        self.buffers_out += 1
        return CompletedRequest(self, pixels, number, metadata)

    def _stream(self, camera_config: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return a stream's configuration as the camera adjusts it."""
        stream = dict(camera_config[name])
        if stream["format"] not in FORMATS:
            raise RuntimeError(f"Bad format {stream['format']} in stream {name}")
        if type(stream["size"]) is not tuple or len(stream["size"]) != 2:
            raise RuntimeError(f"size in {name} stream should be (width, height)")
        if stream["size"][0] % 2 or stream["size"][1] % 2:
            raise RuntimeError("width and height should be even")
        if stream["format"] not in self.library.formats:
            stream["format"] = self.library.formats[0]
        stream["stride"] = stride_of(stream["format"], stream["size"][0])
        stream["framesize"] = frame_size_of(stream["format"], *stream["size"])
        return stream

    def _configuration(
        self,
        size: tuple[int, int],
        main: Mapping[str, Any] | None,
        lores: Mapping[str, Any] | None,
        colour_space: object,
        buffer_count: int,
        controls: Mapping[str, Any] | None,
        queue: bool,
        use_case: str,
    ) -> dict[str, Any]:
        if not self.is_open:
            raise RuntimeError("Camera not opened")
        first: dict[str, Any] = {"format": "XBGR8888", "size": size, "preserve_ar": True}
        first = _merged(first, main)
        second = None
        if lores is not None:
            second = {"format": "YUV420", "size": first["size"], "preserve_ar": False}
            second = _merged(second, lores)
        return {
            "use_case": use_case,
            "transform": None,
            "colour_space": colour_space,
            "buffer_count": buffer_count,
            "queue": queue,
            "main": first,
            "lores": second,
            "raw": None,
            "controls": dict(controls or {}),
            "sensor": None,
            "display": "main",
            "encode": "main",
        }


def _merged(stream: dict[str, Any], asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a stream's initial configuration with what was asked; sizes become even."""
    valid = ("format", "size", "stride", "preserve_ar")
    for key, value in (asked or {}).items():
        if key not in valid:
            raise ValueError(f"Bad key {key!r}: valid stream configuration keys are {valid}")
        stream[key] = value
    width, height = stream["size"]
    stream["size"] = (width - width % 2, height - height % 2)
    return stream


def _release(request: CompletedRequest, take: Callable[[], Any]) -> Any:
    """Take something from a request and give its buffer back."""
    try:
        return take()
    finally:
        request.release()


def _source_of(frames: FrameSource | None) -> Callable[[int, int, int], NDArray[np.uint8] | None]:
    """Return a function of frame number, width and height."""
    if frames is None:
        from edge.smear import render_field

        return lambda number, width, height: render_field(
            SMEAR_LABELS[number % len(SMEAR_LABELS)], number, width=width, height=height
        )
    if callable(frames):
        given = frames
        return lambda number, width, height: given(number)
    images = [frames] if isinstance(frames, np.ndarray) else list(frames)
    return lambda number, width, height: images[number % len(images)]


@contextmanager
def installed(
    frames: FrameSource | None = None,
    models: Sequence[str] = ("imx477",),
    formats: Sequence[str] = FORMATS,
    metadata: Callable[[int], Mapping[str, Any]] | None = None,
) -> Iterator[ModuleType]:
    """Make `import picamera2` find the fake.

    Args:
        frames: what the sensor sees; None draws fields of blood smears.
        models: the connected cameras; none at all is possible.
        formats: the pixel formats that the cameras have; asking for another gives the first.
        metadata: more metadata for a frame, from its number; replaces what the fake sets itself.

    Yields:
        The module.
    """
    library = _Library(
        frames=_source_of(frames),
        metadata=metadata or (lambda number: {}),
        models=tuple(models),
        formats=tuple(formats),
    )
    module = ModuleType("picamera2", "A stand-in for picamera2.")
    vars(module)["Picamera2"] = type("Picamera2", (Picamera2,), {"library": library})
    before = sys.modules.get("picamera2")
    sys.modules["picamera2"] = module
    try:
        yield module
    finally:
        if before is None:
            sys.modules.pop("picamera2", None)
        else:
            sys.modules["picamera2"] = before
