"""From an image file's bytes to a decision: what each stage takes, against the network alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.bench.percentiles import order_statistic, ratio_in_turns
from edge.bench.sessions import Session
from edge.classifier import Classifier
from edge.image_file import decode_image
from edge.interpreter import Interpreter
from edge.model_file import ModelFile

#: Long enough for a processor to reach its clock rate and for a thread pool to settle.
_WARM_UP_S = 0.5

#: How many frames in a row are timed in a turn, after one that is kept apart.
_IN_A_TURN = 5

#: For each job its turns: what each run took in milliseconds, and what it returned.
_Turns = dict[str, list[list[tuple[float, Any]]]]

#: Of the JPEG that is decoded: what cameras write.
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Timing:
    """Median and 90th percentile in milliseconds."""

    p50_ms: float
    p90_ms: float


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """One model's speed on one kind of frame.

    Attributes:
        model_id: which model.
        runtime: the TFLite runtime and its version.
        delegate: the delegate that really ran.
        threads: cores that the network used.
        frame_height: of the frames, in pixels.
        frame_width: of the frames, in pixels.
        rounds: how many frames were timed.
        decode: from a JPEG's bytes to a frame.
        stages: median milliseconds of each stage from the frame on, as `Prediction.timing_ms` has
            them.
        decision: from a frame in memory to its decision, as a caller sees it.
        bare: a bare interpreter's invoke of the same file.
        explained: an invoke that also gives the embedding and what class activation is made from;
            None where the model has no class activation.
        peers: from the same frame in memory to a class, for each other runtime.
        first_decision: the decision of the first frame in each turn, which finds what another left
            in the caches; it counts nowhere else.
        first_bare: the bare invoke likewise.
        ratio: of the time to a decision to that of the bare interpreter's invoke, as
            `edge.bench.percentiles.ratio_in_turns` has it.
        first_ratio: likewise of the first frame in each turn.
        explained_ratio: of the invoke that gives the added outputs to the bare one, likewise.
        peer_ratios: of each other runtime's time to a class to that to our decision, likewise.
    """

    model_id: str
    runtime: str
    delegate: str
    threads: int
    frame_height: int
    frame_width: int
    rounds: int
    decode: Timing
    stages: dict[str, float]
    decision: Timing
    bare: Timing
    explained: Timing | None
    peers: dict[str, Timing]
    first_decision: Timing
    first_bare: Timing
    ratio: float
    first_ratio: float
    explained_ratio: float | None
    peer_ratios: dict[str, float]

    def shares(self) -> dict[str, float]:
        """Return what each stage, decoding first, takes of the whole; they add up to 1."""
        milliseconds = {"decode": self.decode.p50_ms, **self.stages}
        whole = sum(milliseconds.values())
        return {stage: value / whole for stage, value in milliseconds.items()}


def measure_end_to_end(
    model: ModelFile,
    frame: NDArray[np.uint8],
    *,
    rounds: int = 300,
    threads: int | None = None,
    peers: Mapping[str, Session] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> EndToEnd:
    """Time the classifier against a bare interpreter of the same file, and others, in one run.

    All are warmed up, then take turns in an order that is drawn anew each time, so that a change of
    clock rate or load meets all alike. A turn is one frame after another, as a camera brings them
    (and MLPerf's single stream, Reddi et al., arXiv 1911.02549). Its first frame finds what another
    left in the caches, and is kept apart.

    Args:
        model: the model file.
        frame: RGB, uint8, shape (height, width, 3).
        rounds: how many frames each is timed on, the first of a turn not counted.
        threads: cores for the network; None uses every core, four at most.
        peers: other runtimes that have loaded the model, by name.
        seed: of the order.
        progress: called with (frames done, frames in all).

    Raises:
        ModelFileError: the model cannot be run.
        FrameError: the frame is not RGB uint8.
    """
    bare = Interpreter(model.content, str(model.path), threads)
    with ExitStack() as stack:
        classifier = stack.enter_context(Classifier(model, threads))
        # Before all else, since it refuses what is no frame.
        classifier.classify(frame)
        pixels = np.random.default_rng(seed).integers(0, 256, bare.input.shape[1:])
        bare.input_view()[...] = pixels
        jpeg = _encode(frame)
        # What a job returns is kept to the end: no frames.
        jobs: dict[str, Callable[[], Any]] = {
            "bare": bare.invoke,
            "decision": lambda: classifier.classify(frame).timing_ms,
            "decode": lambda: decode_image(jpeg, "frame").nbytes,
        }
        if model.card.get("activation") is not None:
            explaining = stack.enter_context(Classifier(model, threads, activation=True))
            explaining.interpreter.input_view()[...] = pixels
            jobs["explained"] = explaining.interpreter.invoke
        for name, session in (peers or {}).items():
            jobs[f"peer {name}"] = partial(session.classify, frame)
        _warm_up(jobs.values())
        turns = _take_turns(jobs, rounds, seed, progress)
    taken = {name: [[ms for ms, _ in turn] for turn in of_job] for name, of_job in turns.items()}
    first = {name: [turn[:1] for turn in of_job] for name, of_job in taken.items()}
    counted = {name: [turn[1:] for turn in of_job] for name, of_job in taken.items()}
    figures = {name: _summarize(list(chain(*of_job))) for name, of_job in counted.items()}
    stages = [timing_ms for turn in turns["decision"] for _, timing_ms in turn[1:]]
    return EndToEnd(
        model_id=model.model_id,
        runtime=bare.runtime,
        delegate=bare.delegate,
        threads=bare.threads,
        frame_height=frame.shape[0],
        frame_width=frame.shape[1],
        rounds=rounds,
        decode=figures["decode"],
        stages={
            stage: _summarize([timing_ms[stage] for timing_ms in stages]).p50_ms
            for stage in stages[0]
        },
        decision=figures["decision"],
        bare=figures["bare"],
        explained=figures.get("explained"),
        peers={name: figures[f"peer {name}"] for name in peers or {}},
        first_decision=_summarize(list(chain(*first["decision"]))),
        first_bare=_summarize(list(chain(*first["bare"]))),
        ratio=ratio_in_turns(counted["decision"], counted["bare"]),
        first_ratio=ratio_in_turns(first["decision"], first["bare"]),
        explained_ratio=(
            ratio_in_turns(counted["explained"], counted["bare"])
            if "explained" in counted
            else None
        ),
        peer_ratios={
            name: ratio_in_turns(counted[f"peer {name}"], counted["decision"])
            for name in peers or {}
        },
    )


def _encode(frame: NDArray[np.uint8]) -> bytes:
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return encoded.tobytes()


def _warm_up(jobs: Iterable[Callable[[], Any]]) -> None:
    for job in jobs:
        until = time.perf_counter() + _WARM_UP_S
        while time.perf_counter() < until:
            job()


def _take_turns(
    jobs: Mapping[str, Callable[[], Any]],
    rounds: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> _Turns:
    """Return each job's turns, of which the first run is one more than was asked for."""
    generator = np.random.default_rng(seed)
    names = list(jobs)
    turns: _Turns = {name: [] for name in names}
    for done in range(0, rounds, _IN_A_TURN):
        to_count = min(_IN_A_TURN, rounds - done)
        for place in generator.permutation(len(names)).tolist():
            name = names[place]
            turns[name].append([_time(jobs[name]) for _ in range(1 + to_count)])
        if progress is not None:
            progress(done + to_count, rounds)
    return turns


def _time(job: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter_ns()
    result = job()
    return (time.perf_counter_ns() - started) / 1e6, result


def _summarize(milliseconds: list[float]) -> Timing:
    ordered = sorted(milliseconds)
    return Timing(order_statistic(ordered, 50), order_statistic(ordered, 90))
