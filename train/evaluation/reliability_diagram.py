"""Confidence against accuracy, as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from edge.output import whole_file
from train.evaluation.calibration import BINS, expected_calibration_error, reliability
from train.evaluation.intervals import wilson_interval

_COLOUR = "#5b2a86"


def draw_reliability(
    path: Path, scores: NDArray[np.float32], targets: NDArray[np.int64], bins: int = BINS
) -> None:
    """Draw a reliability diagram as PNG, with the number of images in each bin below.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, figure 1. Each bin's
    accuracy has its Wilson interval; on the diagonal the scores mean what they say.

    Args:
        path: the PNG file.
        scores: class probabilities; float32, shape (n, classes), n above 0.
        targets: the images' classes; int64, shape (n,).
        bins: how many bins of equal width there are from 0 to 1.

    Raises:
        OutputError: the picture cannot be written.
    """
    found = reliability(scores, targets, bins)
    filled = np.flatnonzero(found.counts)
    accuracies = found.accuracies[filled]
    right = np.rint(accuracies * found.counts[filled]).astype(int)
    limits = np.array(
        [wilson_interval(k, n) for k, n in zip(right, found.counts[filled], strict=True)]
    )
    figure = Figure(figsize=(4.8, 5.4), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="as sure as right")
    axes.errorbar(
        found.confidences[filled],
        accuracies,
        yerr=np.abs(limits.T - accuracies),
        color=_COLOUR,
        marker="o",
        linestyle="none",
        capsize=3,
        clip_on=False,
        label="bin, 95 % interval",
    )
    error = expected_calibration_error(scores, targets, bins)
    axes.set_title(
        f"expected calibration error {error:.4f}\n(n = {len(targets)}, {bins} bins)",
        fontsize="medium",
    )
    axes.set_ylabel("accuracy")
    axes.set_ylim(-0.02, 1.02)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(0, 0.7), fontsize="small")
    edges = np.linspace(0, 1, bins + 1)
    below.bar(edges[:-1], found.counts, 1 / bins, align="edge", color=_COLOUR, edgecolor="white")
    below.set_yscale("symlog", linthresh=1)
    below.set_ylim(0, None)
    below.set_ylabel("images")
    below.set_xlabel("highest score")
    below.set_xlim(0, 1)
    for one in (axes, below):
        one.spines[["top", "right"]].set_visible(False)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
