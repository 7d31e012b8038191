"""A row's figures over its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from train.evaluation.seeds import summarize_seeds, summarize_values
from train.studies.measurement import (
    AS_THEY_ARE,
    CORNER_BLANKED,
    CORNER_SWAPPED,
    LABORATORY_SHIFT,
    Measurement,
)

ALTERATIONS = (LABORATORY_SHIFT, CORNER_BLANKED, CORNER_SWAPPED)


def points_lost(alteration: str) -> str:
    """Name the figure that says how many points of accuracy an alteration takes."""
    return f"{alteration}, points lost"


def summarize_row(measurements: Sequence[Measurement]) -> dict[str, dict[str, Any]]:
    """Return each figure's mean and spread over the seeds.

    Args:
        measurements: of one row under one split, one for each seed.

    Returns:
        For each figure `seeds, values, mean, standard_deviation, min, max, ci95`: those of
        `train.evaluation.seeds.SUMMARIZED`; for each alteration its accuracy, under its name, and
        the points lost by it, under `points_lost(name)`; and the sensitivity for each class, as
        `sensitivity for CLASS`.
    """
    figures = summarize_seeds([one.clean for one in measurements])
    for alteration in ALTERATIONS:
        pairs = [
            (clean, altered)
            for one in measurements
            if (clean := one.accuracy(AS_THEY_ARE)) is not None
            and (altered := one.accuracy(alteration)) is not None
        ]
        if pairs:
            figures[alteration] = summarize_values([altered for _, altered in pairs])
            figures[points_lost(alteration)] = summarize_values(
                [100 * (clean - altered) for clean, altered in pairs], lowest=-100.0, highest=100.0
            )
    for label in measurements[0].clean["per_class"]:
        shares = [one.clean["per_class"][label]["sensitivity"] for one in measurements]
        known = [share for share in shares if share is not None]
        if known:
            figures[sensitivity_for(label)] = summarize_values(known)
    return figures


def sensitivity_for(label: str) -> str:
    """Name the figure that is a class's sensitivity."""
    return f"sensitivity for {label}"


def image_counts(measurements: Sequence[Measurement]) -> dict[str, int | float]:
    """Return the least, mean and most images that a seed was measured on."""
    counts = [int(one.clean["n"]) for one in measurements]
    return {"min": min(counts), "mean": float(np.mean(counts)), "max": max(counts)}
