"""blastscope bench --sustained: speed over minutes, with heat and throttling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edge.bench.environment import describe_machine
from edge.bench.sessions import read_sources
from edge.bench.sustained import Sustained, Window, measure_sustained
from edge.cli.options import note, print_json, progress_bar, table

#: Lines that a measurement takes on a terminal, at most.
_LINES = 12


def run_sustained(
    paths: Sequence[Path],
    *,
    minutes: float,
    size: tuple[int, int],
    threads: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure one model after the other, print, and write what was asked for.

    Args:
        paths: one-file models.
        minutes: how long each works.
        size: width and height of the simulated frame.
        threads: cores for the network.
        out: folder for sustained.json and sustained.png; None for none.
        as_json: print JSON in place of tables.

    Raises:
        ModelFileError: a model cannot be run.
    """
    from edge.classifier import Classifier
    from edge.output import make_folder, write_json
    from edge.smear import render_field

    frame = render_field("Early", 0, width=size[0], height=size[1])
    outcomes: dict[str, Sustained] = {}
    for source in read_sources(paths):
        with Classifier.load(source.path, threads) as classifier, progress_bar(source.name) as show:

            def tell(share: float, window: Window) -> None:
                show(round(1000 * share), 1000)

            outcomes[source.name] = measure_sustained(
                classifier, frame, 60 * minutes, progress=tell
            )
        if outcomes[source.name].interrupted:
            break
    measured = {name: outcome for name, outcome in outcomes.items() if outcome.windows}
    report = {
        "machine": asdict(describe_machine(Path("/"))),
        "frame": {"width": size[0], "height": size[1]},
        "threads": threads,
        "models": {
            name: {**asdict(outcome), "slowdown": outcome.slowdown}
            for name, outcome in measured.items()
        },
    }
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo("\n\n".join(_describe(name, one) for name, one in measured.items()))
    if out is not None and measured:
        from edge.bench.stage_picture import plot_sustained

        make_folder(out)
        write_json(out / "sustained.json", report)
        plot_sustained(out / "sustained.png", measured)
        note(f"Written: {', '.join(str(path) for path in sorted(out.iterdir()))}")
    if any(outcome.interrupted for outcome in outcomes.values()):
        raise KeyboardInterrupt


def _describe(name: str, outcome: Sustained) -> str:
    step = max(1, -(-len(outcome.windows) // _LINES))
    shown = outcome.windows[step - 1 :: step]
    if shown[-1:] != outcome.windows[-1:]:
        shown.append(outcome.windows[-1])
    rows = [
        [
            f"{window.end_s / 60:.1f}",
            str(window.frames),
            f"{window.p50_ms:.2f}",
            f"{window.p99_ms:.2f}",
            *_conditions(window),
        ]
        for window in shown
    ]
    header = ["minute", "frames", "p50 ms", "p99 ms", "hottest", "clock", "throttling"]
    frames = sum(window.frames for window in outcome.windows)
    lines = [
        f"{name}: {frames} frames without a pause; the last tenth takes "
        f"{outcome.slowdown:.2f} times as long as the first",
        table(header, rows),
    ]
    if outcome.energy is not None:
        energy: Any = outcome.energy
        lines.append(
            f"{energy.joules_per_inference * 1000:.1f} mJ a frame, {energy.mean_watts:.2f} W "
            f"({energy.sensor}; the draw at rest is in it)"
        )
    return "\n".join(lines)


def _conditions(window: Window) -> list[str]:
    conditions = window.conditions
    hottest = max(conditions.temperatures_c.values(), default=None)
    clock = max(conditions.clock_mhz, default=None)
    flags = conditions.throttling
    return [
        "–" if hottest is None else f"{hottest:.1f} °C",
        "–" if clock is None else f"{clock:.0f} MHz",
        "no flags" if flags is None else ", ".join(flags) or "none",
    ]
