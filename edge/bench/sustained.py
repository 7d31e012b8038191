"""Speed over minutes, in which a small computer grows hot and slows down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.bench.environment import Conditions, read_conditions
from edge.bench.percentiles import order_statistic
from edge.bench.power import Energy, PowerMeter, find_power_sensor
from edge.classifier import Classifier

#: Windows that a whole measurement is cut into, and the shortest that one is, in seconds.
_WINDOWS = 60
_SHORTEST_S = 1.0


@dataclass(frozen=True, slots=True)
class Window:
    """Some seconds of unbroken work.

    Attributes:
        end_s: seconds since the start at which it ended.
        frames: how many were classified in it.
        p50_ms: median milliseconds from a frame to its decision.
        p99_ms: 99 in 100 were not slower.
        conditions: temperature, clock rate and throttling at its end.
    """

    end_s: float
    frames: int
    p50_ms: float
    p99_ms: float
    conditions: Conditions


@dataclass(slots=True)
class Sustained:
    """What minutes of unbroken work showed.

    Attributes:
        before: temperature, clock rate and throttling at the start.
        windows: one after the other.
        energy: what was drawn; None where no power sensor answers.
        interrupted: whether Ctrl-C ended it.
    """

    before: Conditions
    windows: list[Window] = field(default_factory=list)
    energy: Energy | None = None
    interrupted: bool = False

    @property
    def slowdown(self) -> float:
        """Median of the last tenth of the windows' medians over that of the first tenth."""
        medians = [window.p50_ms for window in self.windows]
        few = max(1, len(medians) // 10)
        return float(np.median(medians[-few:]) / np.median(medians[:few]))


def measure_sustained(
    classifier: Classifier,
    frame: NDArray[np.uint8],
    seconds: float,
    *,
    root: Path = Path("/"),
    progress: Callable[[float, Window], None] | None = None,
) -> Sustained:
    """Classify one frame again and again, without a pause.

    Ctrl-C ends it early and keeps the windows that are complete.

    Args:
        classifier: the loaded model.
        frame: RGB, uint8, shape (height, width, 3).
        seconds: how long.
        root: the folder that `proc` and `sys` lie in.
        progress: called with (share done, the latest window) as each ends.

    Raises:
        FrameError: the frame is not RGB uint8.
    """
    classifier.classify(frame)
    outcome = Sustained(read_conditions(root))
    length = min(seconds, max(_SHORTEST_S, seconds / _WINDOWS))
    sensor = find_power_sensor(root)
    started = time.perf_counter()

    def work() -> None:
        while not outcome.windows or outcome.windows[-1].end_s < seconds:
            window = _measure_window(classifier, frame, started, length, root)
            outcome.windows.append(window)
            if progress is not None:
                progress(min(1.0, window.end_s / seconds), window)

    try:
        if sensor is None:
            work()
        else:
            with PowerMeter(sensor) as meter:
                work()
            outcome.energy = meter.energy(sum(window.frames for window in outcome.windows))
    except KeyboardInterrupt:
        outcome.interrupted = True
    return outcome


def _measure_window(
    classifier: Classifier, frame: NDArray[np.uint8], started: float, length: float, root: Path
) -> Window:
    milliseconds: list[float] = []
    begun = now = time.perf_counter()
    while now - begun < length:
        classifier.classify(frame)
        then, now = now, time.perf_counter()
        milliseconds.append((now - then) * 1e3)
    milliseconds.sort()
    return Window(
        end_s=now - started,
        frames=len(milliseconds),
        p50_ms=order_statistic(milliseconds, 50),
        p99_ms=order_statistic(milliseconds, 99),
        conditions=read_conditions(root),
    )
