"""A comparison of models as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.bench.comparison import Comparison
from edge.bench.entries import Entry
from edge.bench.environment import Conditions
from edge.bench.latency import LatencyFigures, summarize
from edge.cli.options import table

_DASH = "–"


def describe(comparison: Comparison, about: Mapping[str, Any]) -> str:
    """Lay a comparison out for a terminal.

    Args:
        comparison: what was measured.
        about: as for `comparison_report`.
    """
    parts = ["\n".join(_environment_lines(comparison, about)), _models_table(comparison)]
    if comparison.rounds:
        parts += [_latency_table(comparison), "\n".join(_latency_notes(comparison))]
    if comparison.left_out:
        parts.append("\n".join(f"Not measured: {one}. {why}" for one, why in _grouped(comparison)))
    return "\n\n".join(parts)


def _grouped(comparison: Comparison) -> list[tuple[str, str]]:
    """Return each reason once, with the names of all that it holds for."""
    names: dict[str, list[str]] = {}
    for name, why in comparison.left_out.items():
        names.setdefault(why, []).append(name)
    return [(", ".join(those), why) for why, those in names.items()]


def _environment_lines(comparison: Comparison, about: Mapping[str, Any]) -> list[str]:
    machine, options = comparison.machine, comparison.options
    board = f"{machine.board}, " if machine.board else ""
    load = comparison.before.load_average
    runtimes = {
        f"{session.runtime} (delegate {session.delegate})"
        for session in (entry.tracks[0].session for entry in comparison.entries)
    }
    sizes = [f"{width} x {height}" for height, width in comparison.frame_sizes]
    shown = ", ".join(sizes[:3]) + (" and others" if len(sizes) > 3 else "")
    lines = [
        f"{board}{machine.cpu}, {machine.cores} cores, "
        f"governor {', '.join(machine.governors) or 'not told'}",
        f"{machine.system} {machine.architecture}, Python {machine.python}, "
        f"load {'not told' if load is None else format(load, '.2f')} at the start",
        ", ".join(sorted(runtimes)),
        f"before: {_conditions(comparison.before)}; after: {_conditions(comparison.after)}; "
        f"{comparison.sensor or 'no power sensor'}",
    ]
    if comparison.rounds:
        lines.append(
            f"{shown} frame, {comparison.rounds} rounds of {comparison.frames} frames in turns, "
            f"threads {', '.join(map(str, options.threads))}, seed {options.seed}, "
            f"warm-up of {min(t.warm_up for e in comparison.entries for t in e.tracks)} "
            "frames or more apart; milliseconds"
        )
    lines += about.get("notes", ())
    if comparison.rounds < options.rounds and not comparison.interrupted:
        lines.append(f"The time limit of {options.time_limit_s:g} s ended the rounds.")
    if comparison.unlike:
        lines.append(
            f"{comparison.unlike} timed classifications gave another class than the same model "
            "on the same image before."
        )
    return lines


def _conditions(conditions: Conditions) -> str:
    temperatures = [
        f"{kind} {degrees:.1f} °C" for kind, degrees in conditions.temperatures_c.items()
    ]
    throttling = conditions.throttling
    flags = "no throttle flags" if throttling is None else ", ".join(throttling) or "not throttled"
    return f"{', '.join(temperatures) or 'no temperature'}, {flags}"


def _models_table(comparison: Comparison) -> str:
    front = {entry.name for entry in comparison.pareto()}
    has_images = comparison.images is not None
    has_energy = comparison.sensor is not None
    header = ["model"]
    if has_images:
        header += ["accuracy", "95 % interval", f"same as {comparison.reference or 'reference'}"]
        header += ["on Pareto front"]
    header += ["size MB", "load ms", "peak MB", "delegate"]
    header += ["mJ / frame"] if has_energy else []
    rows = []
    for entry in comparison.entries:
        row = [entry.name]
        if has_images:
            row += _accuracy_cells(entry)
            row += ["yes" if entry.name in front else ""]
        footprint = entry.footprint
        row += [
            f"{entry.size_bytes / 1e6:.2f}",
            _DASH if footprint is None else f"{footprint.load_ms:.1f}",
            _DASH if footprint is None else f"{footprint.peak_mb:.1f}",
            entry.tracks[0].session.delegate,
        ]
        if has_energy:
            energy = entry.energy
            row.append(_DASH if energy is None else f"{energy.joules_per_inference * 1000:.1f}")
        rows.append(row)
    return table(header, rows)


def _accuracy_cells(entry: Entry) -> list[str]:
    accuracy, agreement = entry.accuracy, entry.agreement
    if accuracy is None:
        return [_DASH] * 3
    low, high = accuracy.ci95
    return [
        f"{accuracy.share:.2%}",
        f"{low:.2%} to {high:.2%}",
        _DASH if agreement is None else f"{agreement.count} of {agreement.n}",
    ]


def _latency_table(comparison: Comparison) -> str:
    header = ["model", "threads", "p50", "p90", "p99", "p90 at most", "p99 at most"]
    header += ["bare invoke p50", "ratio of p50"]
    rows = []
    for entry in comparison.entries:
        for track in entry.tracks:
            figures = summarize(track.classify_ms)
            bare = summarize(track.invoke_ms).p50_ms if track.invoke_ms else None
            rows.append(
                (
                    entry.name,
                    "own" if track.threads is None else str(track.threads),
                    f"{figures.p50_ms:.2f}",
                    f"{figures.p90_ms:.2f}",
                    f"{figures.p99_ms:.2f}",
                    *_bounds(figures),
                    _DASH if bare is None else f"{bare:.2f}",
                    _DASH if bare is None else f"{figures.p50_ms / bare:.2f}",
                )
            )
    return table(header, rows)


def _bounds(figures: LatencyFigures) -> Sequence[str]:
    return [
        _DASH if one.estimate_ms is None else f"{one.estimate_ms:.2f}"
        for one in figures.early_stopping
    ]


def _latency_notes(comparison: Comparison) -> list[str]:
    bounds = summarize(comparison.entries[0].tracks[0].classify_ms).early_stopping
    lines = [
        "Latency is preprocessing, inference and the class, of a decoded frame. "
        "At most: MLPerf's early-stopping estimate, with 99 % confidence."
    ]
    lines += [
        f"{comparison.rounds} rounds are too few for that of p{one.percentile}: "
        f"--rounds {one.needed} would do."
        for one in bounds
        if one.estimate_ms is None
    ]
    if comparison.sensor is not None:
        lines.append("Energy is all that the sensor measures; the draw at rest is not taken off.")
    return lines
