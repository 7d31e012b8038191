"""Faults of something that works on its own, as they are noticed, told and counted."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Literal

# Events that nobody asks for are forgotten from the oldest on; the counts stay whole.
_KEPT_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """A fault that was noticed, or the end of the faults.

    Attributes:
        kind: "fault" or "recovered".
        fault: the fault, or the first one of those that ended; of a camera, an
            `edge.cameras.faults.Fault`.
        message: what happened, as a sentence.
        at_s: when, in seconds of the machine's monotonic clock.
        outage_s: seconds since the first fault; 0 for the first fault itself.
    """

    kind: Literal["fault", "recovered"]
    fault: str
    message: str
    at_s: float
    outage_s: float


class FaultLog:
    """Counts one thing's faults; the thread that notices them writes it and any other may read.

    Attributes:
        faults: how often each fault was noticed.
        refused: a camera's frames that were not handed out, by what was wrong with them.
        recoveries: how often it worked again after faults.
    """

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.recoveries = 0
        self._events: deque[FaultEvent] = deque(maxlen=_KEPT_EVENTS)
        self._lock = threading.Lock()
        self._began: tuple[str, float] | None = None

    def note_fault(self, fault: str, message: str) -> None:
        """Count a fault; the first one begins an outage."""
        now_s = time.monotonic()
        with self._lock:
            self.faults[fault] += 1
            if self._began is None:
                self._began = (fault, now_s)
            outage_s = now_s - self._began[1]
            self._events.append(FaultEvent("fault", fault, message, now_s, outage_s))

    def note_refused(self, fault: str) -> None:
        """Count a frame that is not handed out."""
        with self._lock:
            self.refused[fault] += 1

    def note_recovery(self, what: str = "Frames again") -> None:
        """Take note that it works, which ends an outage if there was one.

        Args:
            what: what is so again, as the beginning of a sentence.
        """
        if self._began is None:
            return
        now_s = time.monotonic()
        with self._lock:
            if self._began is None:
                return
            (fault, began_s), self._began = self._began, None
            self.recoveries += 1
            message = f"{what}, after {now_s - began_s:.1f} s"
            self._events.append(FaultEvent("recovered", fault, message, now_s, now_s - began_s))

    @property
    def in_outage(self) -> bool:
        """Whether a fault was noticed and has not ended since."""
        return self._began is not None

    def take_events(self) -> list[FaultEvent]:
        """Return what has happened since the last call, in order."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
        return events
