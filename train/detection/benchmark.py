"""How well and how fast white cells are found: `python -m train.detection.benchmark BCCD`.

Recall, precision and time on fields with boxes. The finder's settings were chosen on the
development half alone, so the held-out half is the one to quote. It fails if a figure of the
held-out half is worse than blastscope promises.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2

from edge.bench.environment import describe_machine
from edge.cells import find_white_cells
from edge.cli.main import run
from edge.cli.options import PATH, json_option, note, print_json, table
from edge.image_file import read_image
from train.detection.annotations import AnnotatedField, read_fields
from train.detection.matching import intersection_over_union, match_boxes
from train.evaluation.intervals import wilson_interval

#: Least recall and precision at an intersection over union of 0.5, and most milliseconds of one
#: core for a field of 640 x 480 pixels.
LEAST_RECALL = 0.95
LEAST_PRECISION = 0.90
MOST_MS = 15.0


@dataclass(frozen=True, slots=True)
class FieldOutcome:
    """What was found in one field.

    Attributes:
        field: the field.
        found: how many cells were found.
        right: how many of them are cells that people have marked.
        overlaps: for each marked cell, its best intersection over union with a found one.
        wall_ms: milliseconds that passed.
        core_ms: milliseconds that the processor worked on it; less than `wall_ms` where other
            programs have their turn.
    """

    field: AnnotatedField
    found: int
    right: int
    overlaps: tuple[float, ...]
    wall_ms: float
    core_ms: float


def measure(fields: Sequence[AnnotatedField], repeats: int = 3) -> list[FieldOutcome]:
    """Find the white cells of fields, on one thread.

    Args:
        fields: where to look.
        repeats: how often each is timed; its times are the medians.

    Raises:
        ImageFileError: a field's image cannot be read.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return [_measure(field, repeats) for field in fields]
    finally:
        cv2.setNumThreads(threads)


def _measure(field: AnnotatedField, repeats: int) -> FieldOutcome:
    frame = read_image(field.path)
    wall, core = [], []
    for _ in range(repeats):
        started, worked = time.perf_counter(), time.process_time()
        cells = find_white_cells(frame)
        wall.append((time.perf_counter() - started) * 1000)
        core.append((time.process_time() - worked) * 1000)
    boxes = [cell.box for cell in cells]
    overlaps = tuple(
        max((intersection_over_union(box, true) for box in boxes), default=0.0)
        for true in field.boxes
    )
    right = len(match_boxes(boxes, field.boxes))
    times = statistics.median(wall), statistics.median(core)
    return FieldOutcome(field, len(cells), right, overlaps, *times)


def summarize(outcomes: Sequence[FieldOutcome]) -> dict[str, Any]:
    """Return the figures of some fields, with 95 % Wilson intervals; None where there is no n."""
    right = sum(outcome.right for outcome in outcomes)
    true = sum(len(outcome.field.boxes) for outcome in outcomes)
    found = sum(outcome.found for outcome in outcomes)
    overlaps = [overlap for outcome in outcomes for overlap in outcome.overlaps]
    return {
        "fields": len(outcomes),
        "true": true,
        "found": found,
        "right": right,
        "recall": right / true if true else None,
        "recall_ci95": wilson_interval(right, true) if true else None,
        "precision": right / found if found else None,
        "precision_ci95": wilson_interval(right, found) if found else None,
        "mean_iou": statistics.fmean(overlaps) if overlaps else None,
        "wall_ms": statistics.median(one.wall_ms for one in outcomes) if outcomes else None,
        "core_ms": statistics.median(one.core_ms for one in outcomes) if outcomes else None,
    }


def broken_promises(held_out: dict[str, Any]) -> list[str]:
    """Say which figures of the held-out half are worse than promised."""
    broken = [
        f"{name} {held_out[name]:.3f} is below {least}"
        for name, least in (("recall", LEAST_RECALL), ("precision", LEAST_PRECISION))
        if held_out[name] is not None and held_out[name] < least
    ]
    if held_out["core_ms"] is not None and held_out["core_ms"] > MOST_MS:
        broken.append(f"{held_out['core_ms']:.1f} ms of one core is above {MOST_MS:g}")
    return broken


@click.command("python -m train.detection.benchmark")
@click.argument("folder", type=PATH, metavar="BCCD")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the two halves.")
@json_option
def command(folder: Path, seed: int, as_json: bool) -> None:
    """Measure how well and how fast white cells are found in the BCCD set's fields.

    The exit code is 1 where a figure of the held-out half is worse than promised.
    """
    outcomes = measure(read_fields(folder, seed=seed))
    parts = {
        "development": [one for one in outcomes if one.field.development],
        "held out": [one for one in outcomes if not one.field.development],
        "all": outcomes,
    }
    figures = {name: summarize(part) for name, part in parts.items()}
    broken = broken_promises(figures["held out"])
    machine = describe_machine(Path("/"))
    missed = [
        {"path": str(one.field.path), "true": len(one.field.boxes), "found": one.found}
        for one in outcomes
        if not one.right == one.found == len(one.field.boxes)
    ]
    if as_json:
        row = {"data": str(folder), "seed": seed, "cpu": machine.cpu, **figures}
        print_json({**row, "disagree": missed, "broken": broken}, indent=2)
    else:
        click.echo(f"White cells of {folder} at an intersection over union of 0.5,")
        click.echo(f"halves by file hash with seed {seed}, one thread of {machine.cpu}.\n")
        header = ["fields", "n", "cells", "recall", "found", "precision"]
        header += ["mean IoU", "core ms", "wall ms"]
        click.echo(table(header, [_line(name, one) for name, one in figures.items()]))
        for one in missed:
            note(f"{one['path']}: {one['true']} marked, {one['found']} found")
    for promise in broken:
        note(f"Worse than promised on the held-out half: {promise}.")
    if broken:
        click.get_current_context().exit(1)


def _line(name: str, figures: dict[str, Any]) -> list[str]:
    def share(which: str) -> str:
        if figures[which] is None:
            return "–"
        low, high = figures[f"{which}_ci95"]
        return f"{figures[which]:.1%} ({low:.1%} to {high:.1%})"

    def number(which: str, places: int) -> str:
        return "–" if figures[which] is None else f"{figures[which]:.{places}f}"

    counts = [str(figures["fields"]), str(figures["true"])]
    return [
        *[name, *counts, share("recall"), str(figures["found"]), share("precision")],
        *[number("mean_iou", 2), number("core_ms", 1), number("wall_ms", 1)],
    ]


if __name__ == "__main__":
    sys.exit(run(command=command))
