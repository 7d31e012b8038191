"""Models compared in one run: accuracy, speed, size, memory and energy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.bench.accuracy import equal_share, pareto_front
from edge.bench.entries import Entry, find_reference, load_entries, load_peers
from edge.bench.environment import Conditions, Machine, describe_machine, read_conditions
from edge.bench.footprint import measure_footprint
from edge.bench.images import ImageFolder
from edge.bench.latency import run_rounds, summarize, warm_up
from edge.bench.power import Energy, PowerMeter, PowerSensor, find_power_sensor
from edge.bench.sessions import ModelSource, Session
from edge.image_file import read_image

#: Shows how far a stage is: takes its name, gives a function of (done, in all).
Stage = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]

#: Frames kept decoded for the timing, and how many bytes they take at most beyond the first.
_FRAMES = 16
_FRAME_BYTES = 64 * 2**20

#: Seconds that each model runs alone for its energy.
_ENERGY_S = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """How models are compared.

    Attributes:
        threads: numbers of cores, the first of which accuracy and memory are measured with.
        rounds: how often each model is timed at each number of threads.
        time_limit_s: after this many seconds no further round begins.
        seed: of the order of the models, and of the choice of frames.
        labels: of models without a card; None where none were given.
        reference: the model that others are to agree with; None takes "float32", or the first
            with a float32 input.
        root: the folder that `proc` and `sys` lie in.
    """

    threads: tuple[int, ...]
    rounds: int
    time_limit_s: float
    seed: int
    labels: tuple[str, ...] | None = None
    reference: str | None = None
    root: Path = Path("/")


@dataclass(slots=True)
class Comparison:
    """What `compare` measured.

    Attributes:
        options: how.
        machine: on what.
        before: temperatures, clock rates and throttling at the start.
        after: the same at the end.
        entries: the models.
        left_out: what was asked for and could not be measured, with the reason.
        images: what accuracy was measured on; None for speed alone.
        frames: how many frames the models were timed on, in turns.
        frame_sizes: their heights and widths in pixels, each once.
        reference: name of the model that others are to agree with; None where there is none.
        unlike: how many timed classifications gave another class than the model gave before.
        sensor: the power sensor's name; None where there is none.
        interrupted: whether Ctrl-C ended it.
    """

    options: Options
    machine: Machine
    before: Conditions
    after: Conditions
    entries: list[Entry]
    left_out: dict[str, str]
    images: ImageFolder | None
    frames: int = 0
    frame_sizes: list[tuple[int, int]] = field(default_factory=list)
    reference: str | None = None
    unlike: int = 0
    sensor: str | None = None
    interrupted: bool = False

    @property
    def rounds(self) -> int:
        """How many rounds were timed."""
        return len(self.entries[0].tracks[0].classify_ms)

    def pareto(self) -> list[Entry]:
        """Return the models that none beats in accuracy and median latency, the fastest first.

        Latency is at the first number of threads; there are none where either was not measured.
        """
        if self.rounds == 0 or any(entry.accuracy is None for entry in self.entries):
            return []
        accuracies = [entry.accuracy.share for entry in self.entries if entry.accuracy is not None]
        latencies = [summarize(entry.tracks[0].classify_ms).p50_ms for entry in self.entries]
        return [self.entries[place] for place in pareto_front(accuracies, latencies)]


def compare(
    sources: Sequence[ModelSource],
    images: ImageFolder | None,
    simulated: NDArray[np.uint8],
    peers: Sequence[str],
    options: Options,
    stage: Stage,
) -> Comparison:
    """Measure accuracy and speed of models with the same loaded files in the same run.

    The method follows MLPerf Inference's single stream (Reddi et al., arXiv 1911.02549): warm-up
    apart, one frame at a time, percentiles with early stopping; in addition all models take
    turns. Ctrl-C ends it early and keeps the stages that are complete.

    Args:
        sources: the models, one or more.
        images: what accuracy is measured on; None for speed alone.
        simulated: the frame to time without images; RGB, uint8, shape (height, width, 3).
        peers: other runtimes that run each model as well.
        options: how.
        stage: shows how far it is.

    Returns:
        The figures; a peer that cannot run a model is in `left_out`.

    Raises:
        ModelFileError: a model cannot be run.
        DatasetError: the labels do not fit.
        ImageFileError: an image cannot be read.
        BlastscopeError: the reference is none of the models, or the number of threads is absurd.
    """
    machine, before = describe_machine(options.root), read_conditions(options.root)
    entries = load_entries(sources, options.threads, options.labels, images)
    reference = find_reference(entries, options.reference)
    peer_entries, left_out = load_peers(entries, peers, options.threads, simulated)
    entries += peer_entries
    comparison = Comparison(options, machine, before, before, entries, left_out, images)
    comparison.reference = None if reference is None else reference.name
    try:
        _measure(comparison, reference, simulated, stage)
    except KeyboardInterrupt:
        comparison.interrupted = True
    finally:
        for entry in entries:
            for track in entry.tracks:
                track.session.close()
    comparison.after = read_conditions(options.root)
    return comparison


def _measure(
    comparison: Comparison, reference: Entry | None, simulated: NDArray[np.uint8], stage: Stage
) -> None:
    """Go through the stages; each writes its figures once it is complete."""
    options, entries = comparison.options, comparison.entries
    with stage("Memory") as show:
        for done, entry in enumerate(entries, start=1):
            entry.footprint = measure_footprint(entry.source, entry.peer, options.threads[0])
            show(done, len(entries))
    frames, chosen = [simulated], [0]
    if comparison.images is not None:
        with stage("Accuracy") as show:
            frames, chosen = _classify_all(comparison, comparison.images, show)
        for entry in entries:
            entry.accuracy = equal_share(entry.found, comparison.images.labels)
            if reference is not None:
                entry.agreement = equal_share(entry.found, reference.found)
    comparison.frames = len(frames)
    comparison.frame_sizes = sorted({frame.shape[:2] for frame in frames})
    tracks = [track for entry in entries for track in entry.tracks]
    warm_up(tracks, frames[0])
    with stage("Timing") as show:
        try:
            run_rounds(tracks, frames, options.rounds, options.seed, options.time_limit_s, show)
        finally:
            if comparison.images is not None:
                comparison.unlike = _count_unlike(entries, chosen)
    sensor = find_power_sensor(options.root)
    if sensor is not None:
        comparison.sensor = sensor.name
        with stage("Energy") as show:
            for done, entry in enumerate(entries, start=1):
                entry.energy = _measure_energy(entry.tracks[0].session, sensor, frames)
                show(done, len(entries))


def _classify_all(
    comparison: Comparison, images: ImageFolder, show: Callable[[int, int], None]
) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Classify every image with every model, and keep some frames with their positions."""
    count = len(images.paths)
    generator = np.random.default_rng(comparison.options.seed)
    wanted = set(generator.choice(count, min(_FRAMES, count), replace=False).tolist())
    frames: list[NDArray[np.uint8]] = []
    kept: list[int] = []
    found: list[list[str]] = [[] for _ in comparison.entries]
    for place, path in enumerate(images.paths):
        frame = read_image(path)
        for entry, classes in zip(comparison.entries, found, strict=True):
            classes.append(entry.labels[entry.tracks[0].session.classify(frame)])
        room = _FRAME_BYTES - sum(one.nbytes for one in frames)
        if place in wanted and (not frames or frame.nbytes <= room):
            frames.append(frame)
            kept.append(place)
        show(place + 1, count)
    for entry, classes in zip(comparison.entries, found, strict=True):
        entry.found = classes
    return frames, kept


def _count_unlike(entries: Sequence[Entry], chosen: Sequence[int]) -> int:
    """Count timed classifications whose class is not that of the accuracy's pass."""
    return sum(
        entry.labels[found] != entry.found[chosen[index % len(chosen)]]
        for entry in entries
        for track in entry.tracks
        for index, found in enumerate(track.classes)
    )


def _measure_energy(
    session: Session, sensor: PowerSensor, frames: Sequence[NDArray[np.uint8]]
) -> Energy | None:
    """Run one model alone for some seconds while a power sensor is read."""
    count = 0
    with PowerMeter(sensor) as meter:
        until = time.perf_counter() + _ENERGY_S
        while time.perf_counter() < until:
            session.classify(frames[count % len(frames)])
            count += 1
    return meter.energy(count)
