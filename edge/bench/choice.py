"""Which model and how many threads suit this machine, found by trying them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.bench.percentiles import order_statistic
from edge.classifier import Classifier
from edge.model_file import ModelFile, read_model_file

#: A number of threads whose median is at most this much above the best is as good, if it is lower:
#: each core that rests keeps the machine cooler, and serves the camera.
AS_GOOD = 1.1

#: Frames that each trial takes at least, the first of which are not counted.
_FEWEST = 8
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """One model at one number of threads.

    Attributes:
        model: the file.
        accuracy: of the int8 network, as its card says; None where it does not.
        threads: cores for the network.
        p50_ms: median milliseconds from a frame to its decision.
        p90_ms: nine in ten were not slower.
    """

    model: Path
    accuracy: float | None
    threads: int
    p50_ms: float
    p90_ms: float


def try_models(
    models: Sequence[Path],
    frame: NDArray[np.uint8],
    threads: Sequence[int],
    seconds: float,
    progress: Callable[[int, int], None] | None = None,
) -> list[Trial]:
    """Time models on a frame at several numbers of threads, one after the other.

    Only one is in memory at a time, so that the smallest Pi can do it.

    Args:
        models: one-file models.
        frame: as the camera gives them; RGB, uint8, shape (height, width, 3).
        threads: numbers of cores to try.
        seconds: how long each is tried.
        progress: called with (trials done, trials in all).

    Raises:
        ModelFileError: a model cannot be run.
    """
    trials = []
    for path in models:
        model = read_model_file(path)
        for count in threads:
            milliseconds = _time(model, frame, count, seconds)
            trials.append(
                Trial(
                    path,
                    _accuracy(model),
                    count,
                    order_statistic(milliseconds, 50),
                    order_statistic(milliseconds, 90),
                )
            )
            if progress is not None:
                progress(len(trials), len(models) * len(threads))
    return trials


def choose(trials: Sequence[Trial], rate: float) -> Trial:
    """Return the most accurate model that keeps up with a camera, at the fewest threads that do.

    Of models as accurate, the one that was tried first counts. Where none keeps up it is the
    fastest.

    Args:
        trials: what was measured, one at least.
        rate: frames a second that the camera gives.
    """
    best = {model: _fewest(trials, model) for model in dict.fromkeys(one.model for one in trials)}
    in_time = [trial for trial in best.values() if trial.p90_ms <= 1000 / rate]
    if not in_time:
        return min(best.values(), key=lambda trial: trial.p50_ms)
    return max(in_time, key=lambda trial: trial.accuracy or 0.0)


def _fewest(trials: Sequence[Trial], model: Path) -> Trial:
    """Return a model's trial with the fewest threads that are as good as its best."""
    own = [trial for trial in trials if trial.model == model]
    fastest = min(trial.p50_ms for trial in own)
    good = [trial for trial in own if trial.p50_ms <= AS_GOOD * fastest]
    return min(good, key=lambda trial: trial.threads)


def _time(model: ModelFile, frame: NDArray[np.uint8], threads: int, seconds: float) -> list[float]:
    milliseconds: list[float] = []
    with Classifier(model, threads) as classifier:
        until = time.perf_counter() + seconds
        while len(milliseconds) < _FEWEST or time.perf_counter() < until:
            started = time.perf_counter_ns()
            classifier.classify(frame)
            milliseconds.append((time.perf_counter_ns() - started) / 1e6)
    return sorted(milliseconds[_WARM_UP:])


def _accuracy(model: ModelFile) -> float | None:
    metrics = model.card.get("metrics")
    return None if metrics is None else float(metrics["int8"]["accuracy"])
