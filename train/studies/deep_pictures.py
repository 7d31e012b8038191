"""The pictures of a study of deep features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from edge.output import whole_file
from train.deep_features.classifiers import CLASSIFIERS
from train.studies.choices import format_seeds
from train.studies.report import rows_of, splits_of

_COLOURS = ("#5b2a86", "#d1495b", "#1b998b", "#e09f3e", "#33658a")
_MARKERS = ("o", "s", "D", "^", "v")

#: A cell's text is white where its colour is darker than this share of the scale.
_DARK = 0.55


def draw_heat_map(path: Path, report: Mapping[str, Any]) -> None:
    """Draw the accuracy of every selector and classifier, a panel for each backbone and split.

    Args:
        path: the PNG file.
        report: as `train.studies.deep_report.deep_report` returns it.

    Raises:
        OutputError: the picture cannot be written.
    """
    splits, backbones = splits_of(report), list(report["backbones"])
    selectors = list(dict.fromkeys(row["selector"] for row in report["rows"]))
    classifiers = list(dict.fromkeys(row["classifier"] for row in report["rows"]))
    means = [row["figures"]["accuracy"]["mean"] for row in report["rows"]]
    low, high = min(means), max(means)
    width = 2.6 + len(splits) * (0.62 * len(classifiers) + 0.5)
    height = 2.2 + len(backbones) * (0.36 * len(selectors) + 0.55)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(len(backbones), len(splits), squeeze=False)
    image = None
    for row, backbone in enumerate(backbones):
        for column, split in enumerate(splits):
            values = np.full((len(selectors), len(classifiers)), np.nan)
            for one in rows_of(report, split):
                if one["backbone"] == backbone:
                    place = selectors.index(one["selector"]), classifiers.index(one["classifier"])
                    values[place] = one["figures"]["accuracy"]["mean"]
            axes = panels[row][column]
            image = axes.imshow(values, cmap="Purples", vmin=low, vmax=high, aspect="auto")
            _write_cells(axes, values, low, high)
            _name_axes(axes, selectors, classifiers, row == len(backbones) - 1, column == 0)
            name = report["backbones"][backbone]["name"]
            axes.set_title(f"{name}, {split} split", fontsize="small", loc="left")
    if image is not None:
        bar = figure.colorbar(
            image, ax=panels.ravel().tolist(), shrink=0.8, pad=0.02, aspect=15 * len(backbones)
        )
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        bar.outline.set_visible(False)
    _head(figure, "Accuracy on test parts in percent, mean over the seeds", report)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def draw_counts(path: Path, report: Mapping[str, Any]) -> None:
    """Draw accuracy against the number of features: each selector with its best classifier.

    It is that of the inner folds, which choose the number; no test image has a say in it.

    Args:
        path: the PNG file.
        report: as `train.studies.deep_report.deep_report` returns it.

    Raises:
        OutputError: the picture cannot be written.
    """
    splits, backbones = splits_of(report), list(report["backbones"])
    figure = Figure(
        figsize=(1.0 + 3.6 * len(splits), 1.5 + 2.3 * len(backbones)), layout="constrained"
    )
    panels = figure.subplots(len(backbones), len(splits), squeeze=False, sharex=True, sharey="row")
    selectors = list(dict.fromkeys(row["selector"] for row in report["rows"]))
    for row, backbone in enumerate(backbones):
        for column, split in enumerate(splits):
            axes = panels[row][column]
            for number, selector in enumerate(selectors):
                curve = _best_curve(report, split, backbone, selector)
                axes.plot(
                    [point["count"] for point in curve],
                    [point["inner_accuracy"] for point in curve],
                    color=_COLOURS[number % len(_COLOURS)],
                    marker=_MARKERS[number % len(_MARKERS)],
                    label=selector if row == column == 0 else None,
                )
            name = report["backbones"][backbone]["name"]
            axes.set_title(f"{name}, {split} split", fontsize="small", loc="left")
            axes.set_xscale("log", base=2)
            axes.set_xticks(report["counts"], [f"{count:g}" for count in report["counts"]])
            axes.minorticks_off()
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
            axes.grid(color="0.92")
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
            if row == len(backbones) - 1:
                axes.set_xlabel("features kept", fontsize="small")
            if column == 0:
                axes.set_ylabel("accuracy, inner folds", fontsize="small")
    _head(figure, "Accuracy against number of features, best classifier", report)
    figure.legend(loc="outside lower center", ncols=len(selectors), frameon=False, fontsize="small")
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _best_curve(
    report: Mapping[str, Any], split: str, backbone: str, selector: str
) -> list[dict[str, float]]:
    curves: dict[float, float] = {}
    for row in rows_of(report, split):
        if (row["backbone"], row["selector"]) == (backbone, selector):
            for point in row["curve"]:
                count = point["count"]
                curves[count] = max(point["inner_accuracy"], curves.get(count, 0.0))
    return [{"count": count, "inner_accuracy": best} for count, best in sorted(curves.items())]


def _write_cells(axes: Axes, values: Any, low: float, high: float) -> None:
    span = max(high - low, 1e-9)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = (value - low) / span > _DARK
            axes.text(
                column,
                row,
                f"{100 * value:.1f}",
                ha="center",
                va="center",
                fontsize="x-small",
                color="white" if dark else "black",
            )


def _name_axes(
    axes: Axes, selectors: list[str], classifiers: list[str], lowest: bool, leftmost: bool
) -> None:
    titles = [CLASSIFIERS[name].title for name in classifiers] if lowest else []
    axes.set_xticks(range(len(titles)), titles, rotation=40, ha="right", fontsize="x-small")
    names = selectors if leftmost else []
    axes.set_yticks(range(len(names)), names, fontsize="x-small")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _head(figure: Figure, title: str, report: Mapping[str, Any]) -> None:
    """Write above a picture what it shows, and on which images."""
    data = report["data"]
    limit = "" if data["limit"] is None else f", {data['limit']} of each class at most"
    figure.suptitle(
        f"{title}\n{data['name']}, version {data['sha256'][:12]}, {data['n']} images{limit}; "
        f"seeds {format_seeds(report['seeds'])}",
        fontsize="small",
    )
