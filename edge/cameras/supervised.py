"""A camera that is watched over: hung, unplugged or lying, it is noticed, counted and reopened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.cameras.backoff import BackOff
from edge.cameras.base import Camera, Frame
from edge.cameras.capture import CaptureThread, Supervision
from edge.cameras.faults import Fault
from edge.cameras.frame_check import FrameCheck, FrameLimits
from edge.cameras.newest import NewestFrame
from edge.errors import CameraError
from edge.fault_log import FaultLog

_LOOK_S = 0.1
# How long a camera may take to let go; one that hangs is left to its thread.
_STOP_S = 2.0
# Threads that hang in a driver cannot be ended. So many are left behind, each with its own opening
# of the device; then the next waits until one of them comes back.
_MOST_HUNG = 4


class SupervisedCamera(Camera):
    """Any camera; of a live one, captured in a thread of its own, the newest frame is handed out.

    A live camera that is silent for `timeout_s`, whose driver hangs or reports an error, or that
    delivers nothing but black frames, one and the same frame, or frames of another size for two
    seconds, is closed and opened again, with waits that grow, for as long as it takes. Frames that
    are black, repeated or of another size are not handed out. Everything is counted in `log` and
    `newest`, and numbers go on where the camera was opened again.

    A recording and a simulation are handed out whole instead, read in the thread that asks, and
    their errors are raised: they may rightly repeat themselves, and would begin anew if opened
    again.

    Args:
        make: makes the camera, not yet open; called once for each opening.
        timeout_s: the longest time without a frame in seconds.
        back_off: the waits before opening again.
        limits: from when on a frame is refused.

    Attributes:
        log: what went wrong so far.
        newest: how many frames were captured, skipped, refused and taken.

    Raises:
        CameraError: `make` does, for an option's value.

    Example:
        >>> with SupervisedCamera(lambda: open_camera("usb", device=0)) as camera:
        ...     frame = camera.read()
        ...     print(frame.sequence, camera.log.faults)
    """

    def __init__(
        self,
        make: Callable[[], Camera],
        timeout_s: float = 3.0,
        back_off: BackOff | None = None,
        limits: FrameLimits | None = None,
    ) -> None:
        camera = make()
        self.name = camera.name
        self.is_live = camera.is_live
        self.log = FaultLog()
        self.newest = NewestFrame()
        self._make = make
        self._timeout_s = timeout_s
        self._back_off = back_off or BackOff()
        self._limits = limits
        self._recording: Camera | None = None
        self._ended = False
        self._shared: Supervision | None = None
        self._thread: CaptureThread | None = None
        self._hung: list[CaptureThread] = []

    @property
    def unreadable(self) -> Sequence[Path]:  # type: ignore[override]
        """Images of a recording that were passed over because they could not be read."""
        return self._recording.unreadable if self._recording is not None else ()

    def open(self) -> None:
        """Take hold of the camera; counts begin anew.

        Raises:
            CameraError: the source is absent or does not answer.
            MissingPackageError: the library that drives it is not installed.
        """
        self.close()
        self.log = FaultLog()
        self.newest = NewestFrame()
        self._ended = False
        if not self.is_live:
            recording = self._make()
            recording.open()
            self._recording = recording
            return
        self._shared = Supervision(
            make=self._make,
            newest=self.newest,
            log=self.log,
            check=FrameCheck(self._limits),
            back_off=self._back_off,
            timeout_s=self._timeout_s,
        )
        self._thread = thread = CaptureThread(self._shared)
        thread.start()
        try:
            while not thread.opened.wait(_LOOK_S):
                if thread.is_hung():
                    raise CameraError(
                        f"{self.name} answers when it is opened",
                        got="a driver that hangs",
                        next_step="Unplug the camera and plug it in again, or restart the machine",
                    )
            if thread.error is not None:
                raise thread.error
        except BaseException:
            self.close()
            raise

    def read(self, timeout_s: float = 3.0) -> Frame | None:
        """Wait for a frame newer than the one before.

        Args:
            timeout_s: the longest wait in seconds. A camera that fails is opened again whether or
                not it is read.

        Returns:
            The frame, or None once a recording has come to its end.

        Raises:
            CameraError: no frame came within the time, a recording failed, or it is not open.
        """
        frame = self.poll(timeout_s)
        if frame is not None:
            return frame
        if self._ended:
            return None
        raise CameraError(
            f"{self.name} delivers a frame within {timeout_s:g} s",
            got="none; " + (", ".join(self.log.faults) or "no fault so far"),
            next_step="Read again: the camera is opened again by itself",
        )

    def poll(self, timeout_s: float) -> Frame | None:
        """Wait for a frame without complaint.

        Args:
            timeout_s: the longest wait in seconds.

        Returns:
            The frame, or None where none came in time or the recording has ended.

        Raises:
            CameraError: a recording failed, or the camera is not open.
        """
        if self._recording is not None:
            return self._next_of(self._recording, timeout_s)
        deadline_s = time.monotonic() + timeout_s
        while True:
            if self._thread is None:
                raise self.not_open()
            left_s = deadline_s - time.monotonic()
            frame = self.newest.take(max(min(left_s, _LOOK_S), 0.0))
            if frame is not None:
                return frame
            thread = self._look_after_thread()
            if thread is not None and thread.error is not None:
                raise thread.error
            if left_s <= 0:
                return None

    @property
    def has_ended(self) -> bool:
        """Whether a recording has come to its end; a live camera never does."""
        return self._ended

    def close(self) -> None:
        """Let go of the camera; a frame that nobody took counts as skipped."""
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()
            thread.join(_STOP_S)
            self.newest.close()

    def _next_of(self, recording: Camera, timeout_s: float) -> Frame | None:
        """Read a recording, and count its frame as any other."""
        frame = recording.read(timeout_s)
        if frame is None:
            self._ended = True
            return None
        self.newest.put(frame)
        return self.newest.take(0.0)

    def _look_after_thread(self) -> CaptureThread | None:
        """Leave a thread that hangs behind and start another; return the one at work."""
        thread, shared = self._thread, self._shared
        if thread is None or shared is None or not thread.is_hung():
            return thread
        self._hung = [one for one in self._hung if one.is_alive()]
        if len(self._hung) >= _MOST_HUNG:
            return thread
        thread.stop()
        self.log.note_fault(Fault.HUNG, f"The driver of {self.name} hangs")
        self._hung.append(thread)
        self._thread = following = CaptureThread(shared, tries=thread.tries + 1)
        following.start()
        return following
