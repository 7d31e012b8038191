"""A comparison as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edge.bench.comparison import Comparison
from edge.bench.entries import Entry
from edge.bench.latency import Track, summarize
from edge.bench.percentiles import CONFIDENCE


def comparison_report(comparison: Comparison, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return a comparison as `json.dumps` takes it.

    Args:
        comparison: what was measured.
        about: what else a reader must know, such as threads that were left out.
    """
    options, images = comparison.options, comparison.images
    front = {entry.name for entry in comparison.pareto()}
    data = None
    if images is not None:
        data = {
            "folder": str(images.folder),
            "n": len(images.paths),
            "per_class": {label: images.labels.count(label) for label in images.classes},
        }
    return {
        "method": {
            "stream": "single",
            "threads": list(options.threads),
            "rounds": comparison.rounds,
            "rounds_asked": options.rounds,
            "time_limit_s": options.time_limit_s,
            "seed": options.seed,
            "confidence": CONFIDENCE,
            "frames": comparison.frames,
            "frame_sizes": [list(size) for size in comparison.frame_sizes],
            "unlike_accuracy_pass": comparison.unlike,
            "interrupted": comparison.interrupted,
            **about,
        },
        "machine": asdict(comparison.machine),
        "before": asdict(comparison.before),
        "after": asdict(comparison.after),
        "power_sensor": comparison.sensor,
        "data": data,
        "reference": comparison.reference,
        "models": [_entry_report(entry, front) for entry in comparison.entries],
        "left_out": comparison.left_out,
    }


def _entry_report(entry: Entry, front: set[str]) -> dict[str, Any]:
    session = entry.tracks[0].session
    return {
        "name": entry.name,
        "path": str(entry.source.path),
        "sha256": entry.source.digest,
        "model_id": None if entry.source.model is None else entry.source.model.model_id,
        "labels": list(entry.labels),
        "bytes": entry.size_bytes,
        "runtime": session.runtime,
        "delegate": session.delegate,
        "input": session.input_dtype,
        "accuracy": None if entry.accuracy is None else asdict(entry.accuracy),
        "agreement": None if entry.agreement is None else asdict(entry.agreement),
        "latency": [_track_report(track) for track in entry.tracks if track.classify_ms],
        "footprint": None if entry.footprint is None else asdict(entry.footprint),
        "energy": None if entry.energy is None else asdict(entry.energy),
        "pareto": entry.name in front,
    }


def _track_report(track: Track) -> dict[str, Any]:
    classify = summarize(track.classify_ms)
    bare = summarize(track.invoke_ms) if track.invoke_ms else None
    return {
        "threads": track.threads,
        "warm_up": track.warm_up,
        "n": len(track.classify_ms),
        "classify": asdict(classify),
        "bare": None if bare is None else asdict(bare),
        "ratio": None if bare is None else classify.p50_ms / bare.p50_ms,
    }
