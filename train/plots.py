"""Pictures of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from edge.output import whole_file

if TYPE_CHECKING:
    from train.checkpoint import Epoch


_TRAIN_COLOUR = "#5b2a86"
_VALIDATION_COLOUR = "#d1495b"


def plot_curves(path: Path, history: Sequence[Epoch], best_epoch: int | None) -> None:
    """Draw loss and accuracy by epoch as PNG; a dotted line marks the epoch that was kept.

    Raises:
        OutputError: the picture cannot be written.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    for axes, name, train, validation in (
        (
            loss_axes,
            "cross-entropy (nats)",
            [row.loss for row in history],
            [row.validation_loss for row in history],
        ),
        (
            accuracy_axes,
            "accuracy",
            [row.accuracy for row in history],
            [row.validation_accuracy for row in history],
        ),
    ):
        axes.plot(epochs, train, color=_TRAIN_COLOUR, label="training (augmented)")
        axes.plot(epochs, validation, color=_VALIDATION_COLOUR, label="validation")
        if best_epoch is not None:
            axes.axvline(best_epoch, color="grey", linestyle=":", label=f"kept: {best_epoch}")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    loss_axes.set_yscale("log")
    loss_axes.legend(frameon=False)
    _save(path, figure)


def plot_confusion(path: Path, reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw one confusion matrix beside another as PNG.

    Args:
        path: the PNG file.
        reports: for each title, what `train.evaluation.metrics.classification_report` returns.

    Raises:
        OutputError: the picture cannot be written.
    """
    figure = Figure(figsize=(4.4 * len(reports), 4.2), layout="constrained")
    for axes, (title, report) in zip(
        np.atleast_1d(np.asarray(figure.subplots(1, len(reports)))), reports.items(), strict=True
    ):
        _draw_confusion(axes, title, report)
    _save(path, figure)


def _draw_confusion(axes: Axes, title: str, report: Mapping[str, Any]) -> None:
    # A dollar sign would begin a formula.
    labels = [label.replace("$", r"\$") for label in report["confusion"]["labels"]]
    matrix = np.array(report["confusion"]["matrix"])
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Purples", vmin=0, vmax=1)
    for row, column in np.ndindex(*matrix.shape):
        colour = "white" if share[row, column] > 0.55 else "black"
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    low, high = report["accuracy_ci95"]
    axes.set_title(
        f"{title}: {report['accuracy']:.1%}\n(n = {report['n']}, 95 % interval "
        f"{low:.1%} to {high:.1%})",
        fontsize="medium",
    )


def _save(path: Path, figure: Figure) -> None:
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
