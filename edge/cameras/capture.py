"""The thread that holds a camera: it opens, reads, doubts, and opens again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge.cameras.backoff import BackOff
from edge.cameras.base import Camera
from edge.cameras.faults import Fault
from edge.cameras.frame_check import FrameCheck
from edge.cameras.newest import NewestFrame
from edge.fault_log import FaultLog

# The shares of the longest time without a frame that a camera gets for a read, and after which it
# is held to be hung: one that keeps to its own time limit is told from one that does not.
_READ_SHARE = 0.8
_HUNG_SHARE = 0.9
# Opening takes seconds where a driver loads firmware or tunes itself; OpenCV's Video4Linux backend
# gives up after 10 s.
_OPEN_S = 15.0
_CLOSE_S = 15.0


@dataclass(frozen=True, slots=True)
class Supervision:
    """What all threads that hold one camera, one after the other, have in common.

    Attributes:
        make: makes the camera, not yet open; called for each opening, for a thread that hangs keeps
            its own.
        newest: where frames go.
        log: where faults go.
        check: what doubts the frames.
        back_off: the waits before opening again.
        timeout_s: the longest time without a frame, in seconds.
    """

    make: Callable[[], Camera]
    newest: NewestFrame
    log: FaultLog
    check: FrameCheck
    back_off: BackOff
    timeout_s: float


class CaptureThread(threading.Thread):
    """Holds a camera until told to stop; a daemon, so that a hung driver keeps no process alive.

    Args:
        supervision: what it shares with those before and after it.
        tries: openings that failed before this thread; 0 begins at once, and then a first opening
            that fails ends the thread, for a camera that never was there is a mistake in a command.

    Attributes:
        camera: the camera that it holds or held last.
        opened: set once the camera was open, or the thread has ended.
        error: what ended it, where that was an error.
        tries: openings that failed since the last good frame.
    """

    def __init__(self, supervision: Supervision, tries: int = 0) -> None:
        self._shared = supervision
        self.camera = supervision.make()
        super().__init__(name=f"capture {self.camera.name}", daemon=True)
        self.opened = threading.Event()
        self.error: Exception | None = None
        self.tries = tries
        self._stopping = threading.Event()
        self._busy: tuple[float, float] | None = None

    def run(self) -> None:
        """Work until told to stop."""
        try:
            self._work()
        except Exception as error:  # whatever it is, whoever waits for frames must be told
            self.error = error
        finally:
            self.opened.set()

    def stop(self) -> None:
        """Ask the thread to let go of the camera and end; do not wait for it."""
        self._stopping.set()

    def is_hung(self) -> bool:
        """Tell whether a call to the camera has taken longer than it may."""
        busy = self._busy
        return busy is not None and time.monotonic() - busy[0] > busy[1]

    def _work(self) -> None:
        shared = self._shared
        may_fail = self.tries > 0
        while True:
            if self.tries > 0:
                self._stopping.wait(shared.back_off.wait_s(self.tries - 1))
            if self._stopping.is_set():
                return
            try:
                with self._calling(_OPEN_S):
                    self.camera.open()
            except Exception as error:
                if not may_fail:
                    raise
                self._note(Fault.ABSENT, str(error))
            else:
                may_fail = True
                shared.check.begin(time.monotonic())
                self.opened.set()
                self._serve()
            finally:
                self._close()
            self.tries += 1
            self.camera = shared.make()

    def _serve(self) -> None:
        """Read until there is reason to open the camera again, or to end."""
        shared = self._shared
        wait_s = shared.timeout_s * _READ_SHARE
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                with self._calling(shared.timeout_s * _HUNG_SHARE):
                    frame = self.camera.read(wait_s)
            except Exception as error:
                late = time.monotonic() - began_s >= wait_s
                self._note(Fault.SILENT if late else Fault.FAILED, str(error))
                return
            if frame is None:
                self._note(Fault.FAILED, f"{self.camera.name} has ended")
                return
            now_s = time.monotonic()
            fault = shared.check.fault_of(frame.pixels, now_s)
            if fault is None:
                self.tries = 0
                if not self._stopping.is_set():
                    shared.log.note_recovery()
                shared.newest.put(frame)
                continue
            shared.newest.refuse(frame)
            shared.log.note_refused(fault)
            if shared.check.is_lying(now_s):
                self._note(fault, f"{self.camera.name} delivers {fault} frames alone")
                return

    def _note(self, fault: Fault, message: str) -> None:
        """Count a fault, unless the thread was given up and its camera is another one's by now."""
        if not self._stopping.is_set():
            self._shared.log.note_fault(fault, message)

    def _close(self) -> None:
        """Close the camera, whatever state it is in."""
        try:
            with self._calling(_CLOSE_S):
                self.camera.close()
        except Exception:
            return  # it has failed already, and that was counted

    @contextmanager
    def _calling(self, limit_s: float) -> Iterator[None]:
        """Let `is_hung` see how long a call to the camera takes."""
        self._busy = (time.monotonic(), limit_s)
        try:
            yield
        finally:
            self._busy = None
