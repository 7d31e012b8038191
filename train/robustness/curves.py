"""Accuracy by severity as a picture: a panel for each degradation, a line for each model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from edge.output import whole_file

_COLOURS = ("#5b2a86", "#d1495b", "#1b7f79", "#e09f3e", "#3b6ea8", "#7a7f2b", "#8c564b", "#555555")
_STYLES = ("-", "--", ":")
_COLUMNS = 5


def plot_robustness(path: Path, report: Mapping[str, Any]) -> None:
    """Draw small multiples as PNG, with 95 % intervals as bands.

    Args:
        path: the PNG file.
        report: as `train.robustness.report.robustness_report` returns it.

    Raises:
        OutputError: the picture cannot be written.
    """
    catalogue, models = report["catalogue"], report["models"]
    panels = len(catalogue) + 2
    rows = -(-panels // _COLUMNS)
    figure = Figure(figsize=(3.0 * _COLUMNS, 2.7 * rows + 0.2), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, sharey=True).ravel()
    for index, (name, parameters) in enumerate(catalogue.items()):
        _draw_degradation(axes[index], name, parameters, models)
        if index % _COLUMNS == 0:
            axes[index].set_ylabel("accuracy")
    _draw_alterations(axes[len(catalogue)], models)
    for spare in axes[len(catalogue) + 1 :]:
        spare.axis("off")
    axes[0].set_ylim(min(_lowest(models) - 0.03, 0.9), 1.005)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    handles, labels = axes[0].get_legend_handles_labels()
    axes[len(catalogue) + 1].legend(handles, labels, loc="center left", frameon=False)
    data = report["data"]
    part = "all images" if data["part"] == "all" else f"{data['part']} part"
    figure.suptitle(
        f"Accuracy by severity ({part}, n = {data['n']}, seed {report['seed']}; bands are 95 % "
        "Wilson intervals, dots are where accuracy has fallen "
        f"{report['tolerated_points']:g} points)",
        fontsize="medium",
    )
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _draw_degradation(
    axes: Axes, name: str, parameters: Mapping[str, Any], models: Mapping[str, Any]
) -> None:
    for index, (label, model) in enumerate(models.items()):
        measured = model["degradations"][name]
        points = [model["clean"], *measured["severities"]]
        colour = _COLOURS[index % len(_COLOURS)]
        severities = range(len(points))
        accuracies = [point["accuracy"] for point in points]
        low, high = zip(*(point["accuracy_ci95"] for point in points), strict=True)
        axes.fill_between(severities, low, high, color=colour, alpha=0.1, linewidth=0)
        # A dollar sign would begin a formula.
        axes.plot(
            severities,
            accuracies,
            color=colour,
            linestyle=_STYLES[index % len(_STYLES)],
            label=label.replace("$", r"\$"),
        )
        if measured["tolerance"]["reached"]:
            severity = measured["tolerance"]["severity"]
            height = float(np.interp(severity, severities, accuracies))
            axes.plot(severity, height, "o", color=colour, markersize=4)
    axes.set_title(name, fontsize="medium")
    axes.set_xticks(
        range(1 + len(parameters["values"])), ["none", *(f"{v:g}" for v in parameters["values"])]
    )
    axes.set_xlabel(parameters["parameter"], fontsize="small")
    _plain(axes)


def _draw_alterations(axes: Axes, models: Mapping[str, Any]) -> None:
    names = list(next(iter(models.values()))["alterations"])
    for index, model in enumerate(models.values()):
        points = [model["clean"], *(model["alterations"][name] for name in names)]
        places = [place + 0.12 * (index - (len(models) - 1) / 2) for place in range(len(points))]
        accuracies = [point["accuracy"] for point in points]
        low, high = zip(*(point["accuracy_ci95"] for point in points), strict=True)
        axes.errorbar(
            places,
            accuracies,
            yerr=(
                [a - b for a, b in zip(accuracies, low, strict=True)],
                [b - a for a, b in zip(accuracies, high, strict=True)],
            ),
            fmt="o",
            markersize=4,
            color=_COLOURS[index % len(_COLOURS)],
        )
    labels = ["none", *(name.replace(" ", "\n") for name in names)]
    axes.set_xticks(range(len(labels)), labels, fontsize="small")
    axes.set_title("laboratory and corner", fontsize="medium")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#eeeeee")
    axes.set_axisbelow(True)


def _lowest(models: Mapping[str, Any]) -> float:
    return min(
        float(point["accuracy"])
        for model in models.values()
        for points in (
            [model["clean"]],
            model["alterations"].values(),
            *(one["severities"] for one in model["degradations"].values()),
        )
        for point in points
    )
