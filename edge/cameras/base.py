"""What every source of frames has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from edge.errors import CameraError


class Still(Protocol):
    """A frame's picture at full size, which costs nothing until it is asked for."""

    def pixels(self) -> NDArray[np.uint8]:
        """Return the picture: RGB, uint8, shape (height, width, 3).

        Raises:
            CameraError: it was released, or its camera was closed.
        """

    def release(self) -> None:
        """Let go of it before the frame itself is dropped."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame and where it stands in its stream.

    Attributes:
        pixels: RGB, uint8, shape (height, width, 3).
        sequence: the frame's number in the stream, from 0; skipped frames are numbered too.
        captured_s: time of capture in seconds of the machine's monotonic clock.
        skipped: frames known to be missing directly before this one.
        metadata: what the source says about the frame, by its own names; empty where it says
            nothing. Of picamera2 for example "ExposureTime" in microseconds and "AnalogueGain".
        still: the same moment at full size, where the source has it and was asked for it.
    """

    pixels: NDArray[np.uint8]
    sequence: int
    captured_s: float
    skipped: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    still: Still | None = None


class Camera(ABC):
    """A source of frames: a device, a replayed recording or a simulation.

    Use it as a context manager; nothing is touched before `open`.

    Example:
        >>> with open_camera("simulated") as camera:
        ...     frame = camera.read(timeout_s=3.0)
    """

    #: What the source is, for messages and records, such as "usb:/dev/video0".
    name: str

    #: Images of a recording that were passed over because they could not be read.
    unreadable: Sequence[Path] = ()

    #: Whether a sensor delivers the frames, in its own time. Of a live source the newest frame
    #: counts, and it is doubted: a sensor's noise never repeats. A recording or a simulation is
    #: shown whole, may repeat itself, and is not opened again when it fails.
    is_live: bool = True

    @abstractmethod
    def open(self) -> None:
        """Take hold of the source.

        Raises:
            CameraError: the source is absent or does not answer.
            MissingPackageError: the library that drives it is not installed.
        """

    @abstractmethod
    def read(self, timeout_s: float = 3.0) -> Frame | None:
        """Wait for the next frame.

        Args:
            timeout_s: the longest wait in seconds.

        Returns:
            The frame, or None once a recording has come to its end.

        Raises:
            CameraError: no usable frame came within the time, or the source is not open.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the source; closing twice is harmless."""

    def frames(self, limit: int | None = None, timeout_s: float = 3.0) -> Iterator[Frame]:
        """Yield frames until the source ends or `limit` frames have come.

        Args:
            limit: the most frames to yield; None means no limit.
            timeout_s: the longest wait for each frame in seconds.

        Raises:
            CameraError: as `read`.
        """
        count = 0
        while limit is None or count < limit:
            frame = self.read(timeout_s)
            if frame is None:
                return
            count += 1
            yield frame

    def not_open(self) -> CameraError:
        """Return the error of a camera that is read while it is closed."""
        return CameraError(
            "A camera is open while it is read",
            got=f"{self.name}, which is closed",
            next_step="Call open() first, or use a with statement",
        )

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
