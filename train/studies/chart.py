"""Figures with intervals as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from edge.output import whole_file

_COLOURS = ("#5b2a86", "#d1495b", "#1b998b", "#e09f3e")
_MARKERS = ("o", "s", "D", "^")
_LINES = ("--", ":", "-.")


@dataclass(frozen=True, slots=True)
class Series:
    """Figures of one kind, one for each row.

    Attributes:
        name: for the legend.
        figures: as `train.evaluation.seeds.summarize_values` returns them; None for none.
        hollow: drawn as an outline.
        colour: number of its colour.
    """

    name: str
    figures: Sequence[Mapping[str, Any] | None]
    hollow: bool = False
    colour: int = 0


def plot_shares(
    path: Path,
    title: str,
    rows: Sequence[str],
    series: Sequence[Series],
    lines: Mapping[str, float],
    below: str,
) -> None:
    """Draw shares by row as points with their intervals, and others as lines across, as PNG.

    Args:
        path: the PNG file.
        title: stands above.
        rows: the rows' names, from top to bottom.
        series: what is drawn for each row.
        lines: shares that hold for all rows, by name.
        below: what the picture rests on.

    Raises:
        OutputError: the picture cannot be written.
    """
    step = 0.8 / max(len(series), 1)
    height = 1.9 + len(rows) * max(0.5, 0.24 * len(series))
    figure = Figure(figsize=(8.6, height), layout="constrained")
    axes = figure.subplots()
    for number, one in enumerate(series):
        offset = (number - (len(series) - 1) / 2) * step
        places = [
            (row + offset, found) for row, found in enumerate(one.figures) if found is not None
        ]
        colour = _COLOURS[one.colour % len(_COLOURS)]
        means = [found["mean"] for _, found in places]
        limits = [found["ci95"] or (found["mean"], found["mean"]) for _, found in places]
        axes.errorbar(
            means,
            [place for place, _ in places],
            xerr=[
                [mean - low for mean, (low, _) in zip(means, limits, strict=True)],
                [high - mean for mean, (_, high) in zip(means, limits, strict=True)],
            ],
            fmt=_MARKERS[one.colour % len(_MARKERS)],
            color=colour,
            markerfacecolor="white" if one.hollow else colour,
            capsize=3,
            label=_plain(one.name),
        )
    for number, (name, value) in enumerate(lines.items()):
        axes.axvline(
            value,
            color="0.45",
            linestyle=_LINES[number % len(_LINES)],
            label=f"{_plain(name)}: {value:.1%}",
        )
    axes.set_yticks(range(len(rows)), [_plain(row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for row in range(1, len(rows)):
        axes.axhline(row - 0.5, color="0.9", linewidth=0.8)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_xlabel(_plain(below), fontsize="small")
    axes.set_title(_plain(title), fontsize="medium", loc="left")
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _plain(text: str) -> str:
    """Return a text in which a dollar sign begins no formula."""
    return text.replace("$", r"\$")
