"""What takes part in a comparison: each model, in each runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.bench.accuracy import Share
from edge.bench.footprint import Footprint
from edge.bench.images import ImageFolder, settle_labels
from edge.bench.latency import Track
from edge.bench.peers import OWN_THREADS, file_of_peer, load_peer
from edge.bench.power import Energy
from edge.bench.sessions import ModelSource, Session
from edge.errors import BlastscopeError


@dataclass(slots=True)
class Entry:
    """One model in one runtime, and what was measured of it.

    Attributes:
        name: what it is called in the comparison.
        source: the model.
        peer: the other runtime that runs it; None for blastscope's own.
        size_bytes: of the file that is run.
        tracks: at each number of threads.
        labels: what its outputs stand for.
        found: the class of each image; empty where that was not measured.
        accuracy: share of images whose class it names; None where that was not measured.
        agreement: share of images on which it agrees with the reference.
        footprint: memory and start-up; None where that was not measured.
        energy: joules; None without a power sensor.
    """

    name: str
    source: ModelSource
    peer: str | None
    size_bytes: int
    tracks: list[Track]
    labels: tuple[str, ...] = ()
    found: list[str] = field(default_factory=list)
    accuracy: Share | None = None
    agreement: Share | None = None
    footprint: Footprint | None = None
    energy: Energy | None = None


def load_entries(
    sources: Sequence[ModelSource],
    threads: Sequence[int],
    labels: tuple[str, ...] | None,
    images: ImageFolder | None,
) -> list[Entry]:
    """Load each model once for each number of threads.

    Args:
        sources: the models.
        threads: numbers of cores.
        labels: of models without a card; None where none were given.
        images: what accuracy is measured on; None for speed alone.

    Raises:
        ModelFileError: a model cannot be run.
        DatasetError: the labels do not fit.
        BlastscopeError: the number of threads is absurd.
    """
    entries = [
        Entry(
            name=source.name,
            source=source,
            peer=None,
            size_bytes=len(source.content),
            tracks=[Track(count, source.load(count)) for count in threads],
        )
        for source in sources
    ]
    told = [
        (
            entry.name,
            None if entry.source.model is None else entry.source.model.labels,
            entry.tracks[0].session.outputs,
        )
        for entry in entries
    ]
    for entry, own in zip(entries, settle_labels(told, labels, images), strict=True):
        entry.labels = own
    return entries


def find_reference(entries: Sequence[Entry], name: str | None) -> Entry | None:
    """Return the model that others are to agree with.

    Args:
        entries: the models.
        name: of one of them; None takes "float32", or else the first with a float32 input.

    Returns:
        None where none is named and all take bytes.

    Raises:
        BlastscopeError: there is no such model.
    """
    if name is not None:
        for entry in entries:
            if entry.name == name:
                return entry
        raise BlastscopeError(
            f"The reference is one of the models: {', '.join(entry.name for entry in entries)}",
            got=name,
            next_step="Name one of them with --reference, or leave it out",
        )
    named = [entry for entry in entries if entry.name == "float32"]
    floats = [entry for entry in entries if entry.tracks[0].session.input_dtype == "float32"]
    return next(iter(named + floats), None)


def load_peers(
    entries: Sequence[Entry],
    peers: Sequence[str],
    threads: Sequence[int],
    frame: NDArray[np.uint8],
) -> tuple[list[Entry], dict[str, str]]:
    """Load each model into each other runtime.

    Args:
        entries: the models.
        peers: names out of `edge.bench.peers.PEERS`.
        threads: numbers of cores.
        frame: one to try each with; RGB, uint8, shape (height, width, 3).

    Returns:
        What can be run, and for what cannot be the reason.
    """
    loaded: list[Entry] = []
    left_out: dict[str, str] = {}
    for peer in peers:
        for entry in entries:
            name = f"{entry.name} ({peer})"
            numbers = threads[:1] if peer in OWN_THREADS else threads
            try:
                tracks = []
                for count in numbers:
                    session = load_peer(peer, entry.source, count)
                    told = None if peer in OWN_THREADS else count
                    tracks.append(Track(told, session))
                    _try_out(peer, session, frame)
            except BlastscopeError as error:
                left_out[name] = str(error)
                continue
            size = file_of_peer(peer, entry.source.path).stat().st_size
            loaded.append(Entry(name, entry.source, peer, size, tracks, entry.labels))
    return loaded, left_out


def _try_out(peer: str, session: Session, frame: NDArray[np.uint8]) -> None:
    """Classify a frame, so that a runtime that cannot is left out and not the whole comparison."""
    try:
        session.classify(frame)
    except Exception as error:
        raise BlastscopeError(
            f"{peer} must classify a frame",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step=f"Leave {peer} out of --against for this model",
        ) from error
