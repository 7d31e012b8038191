"""Pictures of where the time goes: by stage, and over minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.bench.end_to_end import EndToEnd
from edge.bench.sustained import Sustained
from edge.output import whole_file

_COLOURS = {
    "decode": "#b9b4c7",
    "preprocess": "#6fa8a0",
    "quality": "#e0a458",
    "invoke": "#5b2a86",
    "decide": "#c8553d",
}


def plot_stages(path: Path, results: Mapping[str, Sequence[EndToEnd]]) -> None:
    """Draw each stage's share of the time from an image file to a decision, as PNG.

    Args:
        path: the file.
        results: each model's measurements.

    Raises:
        OutputError: the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    bars = [(name, one) for name, measured in results.items() for one in measured]
    figure = Figure(figsize=(9, 1.6 + 0.42 * len(bars)), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots()
    left = [0.0] * len(bars)
    for stage, colour in _COLOURS.items():
        widths = [one.shares().get(stage, 0.0) for _, one in bars]
        axes.barh(range(len(bars)), widths, left=left, color=colour, label=stage)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    names = [f"{name}, {one.frame_width} x {one.frame_height}" for name, one in bars]
    axes.set_yticks(range(len(bars)), names)
    axes.invert_yaxis()
    for place, (_, one) in enumerate(bars):
        whole = one.decode.p50_ms + sum(one.stages.values())
        axes.annotate(
            f"{whole:.1f} ms",
            (1.0, place),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    axes.set_xlim(0, 1.0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    figure.legend(
        *axes.get_legend_handles_labels(), ncols=5, frameon=False, loc="outside upper center"
    )
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def plot_sustained(path: Path, outcomes: Mapping[str, Sustained]) -> None:
    """Draw latency over time, and below it what the machine's hottest sensor told, as PNG.

    Args:
        path: the file.
        outcomes: each model's measurement.

    Raises:
        OutputError: the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    hot = any(
        window.conditions.temperatures_c
        for outcome in outcomes.values()
        for window in outcome.windows
    )
    figure = Figure(figsize=(9, 6 if hot else 4), layout="constrained")
    FigureCanvasAgg(figure)
    rows: Any = figure.subplots(2 if hot else 1, sharex=True, squeeze=False)[:, 0]
    for name, outcome in outcomes.items():
        minutes = [window.end_s / 60 for window in outcome.windows]
        (line,) = rows[0].plot(minutes, [w.p50_ms for w in outcome.windows], label=f"{name}, p50")
        rows[0].plot(
            minutes,
            [window.p99_ms for window in outcome.windows],
            color=line.get_color(),
            linestyle=":",
            label=f"{name}, p99",
        )
        if hot:
            degrees = [
                max(window.conditions.temperatures_c.values(), default=float("nan"))
                for window in outcome.windows
            ]
            rows[1].plot(minutes, degrees, color=line.get_color())
    rows[0].set_ylim(bottom=0)
    rows[0].set_ylabel("frame to decision, ms")
    rows[0].legend(frameon=False, ncols=2)
    if hot:
        rows[1].set_ylabel("hottest sensor, °C")
    rows[-1].set_xlabel("minutes")
    for axes in rows:
        axes.spines[["top", "right"]].set_visible(False)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
