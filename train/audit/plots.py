"""Plots of an audit, as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from train.audit.shortcuts import CLASSIFIERS
from train.image_set import ImageSet

_SPLIT_COLOURS = {"random": "#5b2a86", "grouped": "#d1495b"}
_CLASS_MAP = matplotlib.colormaps["Dark2"]
_GROUP_MAP = matplotlib.colormaps["tab20"]

#: Pseudo-groups that get a colour of their own; the others are grey.
_COLOURED_GROUPS = 20


def draw_colours(image_set: ImageSet, groups: NDArray[np.int64]) -> bytes:
    """Draw each image's mean a* and b* (CIE LAB), by class and by pseudo-group.

    Args:
        image_set: n images.
        groups: each image's pseudo-group; int64, shape (n,).

    Returns:
        A PNG file.
    """
    points = np.array([_mean_ab(image) for image in image_set.images])
    figure = Figure(figsize=(10.5, 4.6), layout="constrained")
    by_class, by_group = figure.subplots(1, 2, sharex=True, sharey=True)
    for target, label in enumerate(image_set.labels):
        _scatter(by_class, points[image_set.targets == target], _CLASS_MAP(target % 8), label)
    names, counts = np.unique(groups, return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:_COLOURED_GROUPS]
    _scatter(by_group, points[~np.isin(groups, largest)], (0.75, 0.75, 0.75, 1.0), "")
    for rank, group in enumerate(largest):
        _scatter(by_group, points[groups == group], _GROUP_MAP(rank), "")
    by_class.set_title("by class", fontsize="medium")
    by_group.set_title(
        f"by pseudo-group ({len(names)}; those beyond the {_COLOURED_GROUPS} largest in grey)"
        if len(names) > _COLOURED_GROUPS
        else f"by pseudo-group ({len(names)})",
        fontsize="medium",
    )
    legend = by_class.legend(frameon=False, markerscale=2.5)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
    for axes in (by_class, by_group):
        axes.set_xlabel("mean a* (green to red)")
    by_class.set_ylabel("mean b* (blue to yellow)")
    return _png(figure)


def draw_shortcuts(table: Mapping[str, Any]) -> bytes:
    """Draw the accuracy of each shortcut under each kind of split as bars.

    Args:
        table: as `train.audit.shortcut_table.shortcut_table` returns it.

    Returns:
        A PNG file.
    """
    splits = {name: one for name, one in table["splits"].items() if "error" not in one}
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    panels = figure.subplots(1, len(CLASSIFIERS), sharey=True)
    for axes, classifier in zip(panels, CLASSIFIERS, strict=True):
        _draw_bars(axes, classifier, list(table["shortcuts"]), splits)
    panels[0].set_ylabel("accuracy")
    panels[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return _png(figure)


def _draw_bars(
    axes: Axes, classifier: str, shortcuts: Sequence[str], splits: Mapping[str, Mapping[str, Any]]
) -> None:
    width = 0.8 / max(len(splits), 1)
    for number, (name, split) in enumerate(splits.items()):
        baselines = [split["baselines"][f"{shortcut}, {classifier}"] for shortcut in shortcuts]
        heights = np.array([one["accuracy"] for one in baselines])
        low, high = np.array([one["accuracy_ci95"] for one in baselines]).T
        places = np.arange(len(shortcuts)) + (number - (len(splits) - 1) / 2) * width
        axes.bar(
            places,
            heights,
            0.92 * width,
            yerr=(heights - low, high - heights),
            color=_SPLIT_COLOURS[name],
            error_kw={"elinewidth": 1.2, "capsize": 3, "ecolor": "#2b2138"},
            label=f"{name} splits",
        )
        for place, height, top in zip(places, heights, high, strict=True):
            axes.text(place, top + 0.015, f"{100 * height:.0f}", ha="center", fontsize=8)
    if splits:
        first = next(iter(splits.values()))
        axes.axhline(first["majority"], color="grey", linestyle="--", label="largest class")
        axes.axhline(first["chance"], color="grey", linestyle=":", label="balanced chance")
    axes.set_xticks(range(len(shortcuts)), shortcuts)
    axes.set_ylim(0, 1.08)
    axes.set_title(classifier, fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)


def _scatter(
    axes: Axes, points: NDArray[np.float64], colour: tuple[float, ...], label: str
) -> None:
    # A dollar sign would begin a formula.
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=7,
        color=[colour],
        alpha=0.6,
        linewidths=0,
        label=label.replace("$", r"\$"),
    )
    axes.spines[["top", "right"]].set_visible(False)


def _mean_ab(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean a* and b* of an image in CIE units, -127..127."""
    _, a, b, _ = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    return a - 128.0, b - 128.0


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
