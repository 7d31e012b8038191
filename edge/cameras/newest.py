"""Where a capturing thread leaves a frame, and another takes it: room for one, and no queue."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace

from edge.cameras.base import Frame


class NewestFrame:
    """Room for one frame between two threads.

    Frames are numbered anew, from 0, so that numbers go on where a camera was opened again. At any
    moment `captured` is the sum of `skipped`, `refused`, `taken` and the frame that waits here.

    Attributes:
        captured: frames that the camera has delivered, or knows to be lost.
        skipped: those lost or replaced.
        refused: those delivered and not fit to be handed out.
        taken: those handed out.
    """

    def __init__(self) -> None:
        self.captured = 0
        self.skipped = 0
        self.refused = 0
        self.taken = 0
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._missing = 0
        self._last_s = -math.inf
        self._closed = False

    def put(self, frame: Frame) -> None:
        """Leave a frame; one that still waits is replaced and counts as skipped.

        So does a frame that was captured before the last one: a driver that hung has handed it
        over late, and another camera's has come since.

        Args:
            frame: the next frame, with its own camera's `skipped`.
        """
        with self._changed:
            self._count(frame)
            if self._closed:
                self.skipped += 1
                return
            if frame.captured_s < self._last_s:
                self.skipped += 1
                self._missing += 1
                return
            self._last_s = frame.captured_s
            if self._frame is not None:
                self.skipped += 1
                self._missing += self._frame.skipped + 1
            self._frame = replace(frame, sequence=self.captured - 1, skipped=self._missing)
            self._missing = 0
            self._changed.notify_all()

    def refuse(self, frame: Frame) -> None:
        """Count a frame that is not fit to be handed out; the next one tells that it is missing."""
        with self._changed:
            self._count(frame)
            self.refused += 1
            self._missing += 1

    def take(self, timeout_s: float) -> Frame | None:
        """Wait for a frame and take it.

        Args:
            timeout_s: the longest wait in seconds.

        Returns:
            The frame, or None where none came.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while self._frame is None:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(left_s)
            frame, self._frame = self._frame, None
            self.taken += 1
            return frame

    def close(self) -> None:
        """Hand out nothing more; a frame that waits, and any that still comes, is skipped."""
        with self._changed:
            self._closed = True
            if self._frame is not None:
                self._frame = None
                self.skipped += 1

    def _count(self, frame: Frame) -> None:
        self.captured += frame.skipped + 1
        self.skipped += frame.skipped
        self._missing += frame.skipped
