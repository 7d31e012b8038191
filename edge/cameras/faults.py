"""What goes wrong with a camera, as it is noticed, told and counted."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

# Events that nobody asks for are forgotten from the oldest on; the counts stay whole.
_KEPT_EVENTS = 1000


class Fault(StrEnum):
    """How a camera fails."""

    ABSENT = "absent"
    """It could not be opened."""
    SILENT = "silent"
    """No frame came within the time."""
    HUNG = "hung"
    """A call into its driver did not come back."""
    FAILED = "failed"
    """Its driver reported an error, as for one that was unplugged."""
    BLACK = "black"
    """Its frames are black."""
    REPEATED = "repeated"
    """Its frames are one frame, again and again."""
    WRONG_SIZE = "wrong-size"
    """Its frames are not of the size that it began with, or not RGB at all."""


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """A fault that was noticed, or the frame that ended the faults.

    Attributes:
        kind: "fault" or "recovered".
        fault: the fault, or the first one of those that ended.
        message: what happened, as a sentence.
        at_s: when, in seconds of the machine's monotonic clock.
        outage_s: seconds since the first fault; 0 for the first fault itself.
    """

    kind: Literal["fault", "recovered"]
    fault: Fault
    message: str
    at_s: float
    outage_s: float


class FaultLog:
    """Counts a camera's faults; the capturing thread writes it and any other may read.

    Attributes:
        faults: how often each fault was noticed.
        refused: frames that were not handed out, by what was wrong with them.
        recoveries: how often frames came again after faults.
    """

    def __init__(self) -> None:
        self.faults: Counter[Fault] = Counter()
        self.refused: Counter[Fault] = Counter()
        self.recoveries = 0
        self._events: deque[CameraEvent] = deque(maxlen=_KEPT_EVENTS)
        self._lock = threading.Lock()
        self._began: tuple[Fault, float] | None = None

    def note_fault(self, fault: Fault, message: str) -> None:
        """Count a fault; the first one begins an outage."""
        now_s = time.monotonic()
        with self._lock:
            self.faults[fault] += 1
            if self._began is None:
                self._began = (fault, now_s)
            outage_s = now_s - self._began[1]
            self._events.append(CameraEvent("fault", fault, message, now_s, outage_s))

    def note_refused(self, fault: Fault) -> None:
        """Count a frame that is not handed out."""
        with self._lock:
            self.refused[fault] += 1

    def note_frame(self) -> None:
        """Take note of a good frame, which ends an outage."""
        if self._began is None:
            return
        now_s = time.monotonic()
        with self._lock:
            if self._began is None:
                return
            (fault, began_s), self._began = self._began, None
            self.recoveries += 1
            message = f"Frames again, after {now_s - began_s:.1f} s"
            self._events.append(CameraEvent("recovered", fault, message, now_s, now_s - began_s))

    @property
    def in_outage(self) -> bool:
        """Whether a fault was noticed and no good frame has come since."""
        return self._began is not None

    def take_events(self) -> list[CameraEvent]:
        """Return what has happened since the last call, in order."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
        return events
