"""A camera for tests that fails in the ways in which cameras fail, when it is told to."""

from __future__ import annotations

import threading
import time

import numpy as np

from edge.cameras.base import Camera, Frame
from edge.cameras.faults import Fault
from edge.errors import CameraError

WIDTH, HEIGHT = 64, 48
PERIOD_S = 0.005

#: What a camera that is told to do this is noticed as; "slow" is no fault.
NOTICED_AS = {
    "unplugged": {Fault.FAILED, Fault.ABSENT},
    "crashing": {Fault.FAILED},
    "silent": {Fault.SILENT},
    "hung": {Fault.HUNG},
    "black": {Fault.BLACK},
    "frozen": {Fault.REPEATED},
    "small": {Fault.WRONG_SIZE},
    "garbage": {Fault.WRONG_SIZE},
}


class Bench:
    """The device behind the cameras: what it does now, and how often it was opened.

    Attributes:
        doing: "good", "slow" or one of `NOTICED_AS`.
        frozen: the frame that it shows again and again, however often it is opened.
        healed: set while `doing` is no "hung", to let those who hang go on.
    """

    def __init__(self, seed: int = 0) -> None:
        self.doing = "good"
        self.healed = threading.Event()
        self.healed.set()
        self.openings = 0
        self.open_now = 0
        self._random = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self.frozen = self.field()

    def do(self, what: str) -> None:
        self.doing = what
        if what == "hung":
            self.healed.clear()
        else:
            self.healed.set()

    def field(self, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
        with self._lock:
            return self._random.integers(60, 250, (height, width, 3)).astype(np.uint8)

    def count(self, opened: int) -> None:
        with self._lock:
            self.openings += opened > 0
            self.open_now += opened


class FaultyCamera(Camera):
    """One opening of the bench's device."""

    def __init__(self, bench: Bench) -> None:
        self.name = "faulty"
        self._bench = bench
        self._number: int | None = None

    def open(self) -> None:
        self.close()
        if self._bench.doing == "unplugged":
            raise CameraError("The device exists", got="none")
        self._bench.count(1)
        self._number = 0

    def read(self, timeout_s: float = 3.0) -> Frame:
        if self._number is None:
            raise self.not_open()
        doing = self._bench.doing
        time.sleep(PERIOD_S * 10 if doing == "slow" else PERIOD_S)
        if doing == "hung":
            self._bench.healed.wait()
        if doing == "silent":
            time.sleep(timeout_s)
            raise CameraError("A frame comes in time", got="none")
        if doing == "unplugged":
            raise CameraError("The device goes on", got="none")
        if doing == "crashing":
            raise ZeroDivisionError("a driver's own fault")
        self._number += 1
        return Frame(self._picture(doing), self._number - 1, time.monotonic())

    def close(self) -> None:
        if self._number is not None:
            self._bench.count(-1)
        self._number = None

    def _picture(self, doing: str) -> np.ndarray:
        if doing == "black":
            return np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        if doing == "frozen":
            return self._bench.frozen.copy()
        if doing == "small":
            return self._bench.field(HEIGHT // 2, WIDTH // 2)
        if doing == "garbage":
            return self._bench.field()[..., 0]
        return self._bench.field()
