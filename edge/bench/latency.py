"""Latency of several loaded models, measured in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.bench.percentiles import ESTIMATED, EarlyStopping, early_stopping, order_statistic
from edge.bench.sessions import Session

#: Seconds for which each model is warmed up: long enough for a processor to reach its clock rate
#: and for a thread pool to settle.
WARM_UP_S = 0.5


@dataclass(slots=True)
class Track:
    """One model at one number of threads, and what was measured of it.

    Attributes:
        threads: cores it was told to use; None where it chooses by itself.
        session: the loaded model.
        warm_up: how many frames it classified before anything was timed.
        classify_ms: of each round: preprocessing, inference, and reading the class off.
        invoke_ms: of each round: the network alone; empty where that cannot be told apart.
        classes: of each round, the class it gave.
    """

    threads: int | None
    session: Session
    warm_up: int = 0
    classify_ms: list[float] = field(default_factory=list)
    invoke_ms: list[float] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LatencyFigures:
    """Percentiles of a latency, in milliseconds.

    Attributes:
        p50_ms: half of the samples are not above it.
        p90_ms: nine in ten.
        p99_ms: 99 in 100.
        early_stopping: bounds on the last two that hold with 99 % confidence.
    """

    p50_ms: float
    p90_ms: float
    p99_ms: float
    early_stopping: tuple[EarlyStopping, ...]


def summarize(milliseconds: Sequence[float]) -> LatencyFigures:
    """Return the percentiles of one or more latencies."""
    ordered = sorted(milliseconds)
    return LatencyFigures(
        p50_ms=order_statistic(ordered, 50),
        p90_ms=order_statistic(ordered, 90),
        p99_ms=order_statistic(ordered, 99),
        early_stopping=tuple(early_stopping(ordered, percentile) for percentile in ESTIMATED),
    )


def warm_up(tracks: Sequence[Track], frame: NDArray[np.uint8], seconds: float = WARM_UP_S) -> None:
    """Classify a frame with each model, twice at least, before anything is timed.

    Args:
        tracks: the models; how often each ran is written there.
        frame: RGB, uint8, shape (height, width, 3).
        seconds: how long for each.
    """
    for track in tracks:
        until = time.perf_counter() + seconds
        while track.warm_up < 2 or time.perf_counter() < until:
            track.session.classify(frame)
            track.warm_up += 1


def run_rounds(
    tracks: Sequence[Track],
    frames: Sequence[NDArray[np.uint8]],
    rounds: int,
    seed: int,
    time_limit_s: float,
    progress: Callable[[int, int], None],
) -> None:
    """Time all models in turns, so that a change of clock rate or load meets all alike.

    In each round every model gets the same frame, once, as soon as the one before is done (a
    single stream). The order of the models is drawn anew in each round, and so is whether a model
    first classifies the frame or first runs the bare network.

    A round that is interrupted leaves no trace: all models have as many samples.

    Args:
        tracks: the models; samples are added there.
        frames: RGB, uint8, shape (height, width, 3) each; taken in turns.
        rounds: how many.
        seed: of the order.
        time_limit_s: after this many seconds no further round begins.
        progress: called with (rounds done, rounds in all).
    """
    generator = np.random.default_rng(seed)
    started = time.perf_counter()
    for done in range(rounds):
        if done and time.perf_counter() - started > time_limit_s:
            progress(rounds, rounds)
            return
        frame = frames[done % len(frames)]
        order = generator.permutation(len(tracks)).tolist()
        bare_first = generator.integers(0, 2, len(tracks)).tolist()
        samples = {place: _time(tracks[place], frame, bare_first[place]) for place in order}
        for place, (classify_ms, invoke_ms, found) in samples.items():
            track = tracks[place]
            track.classify_ms.append(classify_ms)
            track.classes.append(found)
            if invoke_ms is not None:
                track.invoke_ms.append(invoke_ms)
        progress(done + 1, rounds)


def _time(
    track: Track, frame: NDArray[np.uint8], bare_first: int
) -> tuple[float, float | None, int]:
    """Return milliseconds of classification and of the bare network, and the class found."""
    session = track.session
    invoke_ms = _time_invoke(session) if bare_first else None
    started = time.perf_counter_ns()
    found = session.classify(frame)
    classify_ms = (time.perf_counter_ns() - started) / 1e6
    if not bare_first:
        invoke_ms = _time_invoke(session)
    return classify_ms, invoke_ms, found


def _time_invoke(session: Session) -> float | None:
    if session.invoke is None:
        return None
    started = time.perf_counter_ns()
    session.invoke()
    return (time.perf_counter_ns() - started) / 1e6
