"""How much time classification takes beyond the network itself."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.interpreter import Interpreter
from edge.model_file import ModelFile

#: Long enough for a processor to reach its clock rate and for a thread pool to settle.
_WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True)
class Timing:
    """Median and 90th percentile in milliseconds."""

    p50_ms: float
    p90_ms: float


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One model's speed on one kind of frame.

    Attributes:
        model_id: which model.
        runtime: the TFLite runtime and its version.
        delegate: the delegate that really ran.
        threads: cores used.
        frame_height: of the frames, in pixels.
        frame_width: of the frames, in pixels.
        rounds: how many frames were timed.
        bare: a bare interpreter's invoke.
        classify: the classifier's preprocess and invoke.
        ratio: median of classify over median of bare.
    """

    model_id: str
    runtime: str
    delegate: str
    threads: int
    frame_height: int
    frame_width: int
    rounds: int
    bare: Timing
    classify: Timing
    ratio: float


def bench(
    model: ModelFile, frame: NDArray[np.uint8], *, rounds: int = 300, threads: int | None = None
) -> BenchResult:
    """Time the classifier against a bare interpreter of the same file in the same run.

    Both are warmed up, then take turns frame by frame, so that a change of clock rate or load
    meets both alike; which of them goes first changes every round.

    Args:
        model: the model file.
        frame: RGB, uint8, shape (height, width, 3).
        rounds: how many frames each is timed on.
        threads: cores to use; None uses every core, four at most.

    Raises:
        ModelFileError: the model cannot be run.
        FrameError: the frame is not RGB uint8.
    """
    bare = Interpreter(model.content, str(model.path), threads)
    bare_ms: list[float] = []
    classify_ms: list[float] = []
    with Classifier(model, threads) as classifier:
        bare.input_view()[...] = np.random.default_rng(0).integers(0, 256, bare.input.shape[1:])
        warm_at = time.perf_counter() + _WARM_UP_S
        while time.perf_counter() < warm_at:
            bare.invoke()
            classifier.classify(frame)
        for index in range(rounds):
            for turn in range(2):
                if (index + turn) % 2:
                    started = time.perf_counter_ns()
                    bare.invoke()
                    bare_ms.append((time.perf_counter_ns() - started) / 1e6)
                else:
                    classify_ms.append(sum(classifier.classify(frame).timing_ms.values()))
    bare_timing, classify_timing = _summarize(bare_ms), _summarize(classify_ms)
    return BenchResult(
        model_id=model.model_id,
        runtime=bare.runtime,
        delegate=bare.delegate,
        threads=bare.threads,
        frame_height=frame.shape[0],
        frame_width=frame.shape[1],
        rounds=rounds,
        bare=bare_timing,
        classify=classify_timing,
        ratio=classify_timing.p50_ms / bare_timing.p50_ms,
    )


def _summarize(milliseconds: list[float]) -> Timing:
    p50, p90 = np.percentile(milliseconds, (50, 90))
    return Timing(float(p50), float(p90))
