"""A study's report: all figures as JSON has them, and the sentences that say what they rest on."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge import __version__
from train.image_set import ImageSet
from train.splits.kinds import CAVEATS, SPLIT_KINDS, USUAL_FOLDS, SplitKind, fold_of_seed
from train.splits.split import DEFAULT_TEST_FRACTION
from train.studies.choices import format_seeds
from train.studies.engine import Measured
from train.studies.measurement import Measurement
from train.studies.over_seeds import image_counts, summarize_row
from train.studies.plan import Row, RunPlan

#: How the intervals of means are made.
OVER_SEEDS = "Student's 95 % t interval over the seeds"

_ONE_SEED = "one seed, so no interval over seeds"


def base_report(
    study: str,
    options: Mapping[str, str | None],
    data: Path,
    image_set: ImageSet,
    measured: Measured,
    part: str,
) -> dict[str, Any]:
    """Return what every study's report has.

    Args:
        study: the words of the command that name it, such as "reproduce tamim2025".
        options: what was given to the command beside its defaults, by option; without places. A
            flag is an empty string.
        data: the folder of images.
        image_set: the images.
        measured: every run's measurement.
        part: which part of each split was measured.

    Returns:
        `study, command, blastscope, trained_with, data {name, sha256, n, classes}, part,
        test_fraction, seeds, intervals, rows`, where each row has `row, network, training {epochs,
        balance, augmentation}, split, seeds, n, figures, runs`: its figures over the seeds, and
        each seed's report.
    """
    words = [
        shlex.quote(f"--{name}={value}" if value else f"--{name}")
        for name, value in options.items()
        if value is not None
    ]
    counts = np.bincount(image_set.targets, minlength=len(image_set.labels)).tolist()
    rows: dict[tuple[Row, SplitKind], dict[int, Measurement]] = {}
    for plan, measurement in measured.items():
        rows.setdefault((plan.row, plan.split), {})[plan.seed] = measurement
    return {
        "study": study,
        "command": " ".join(["blastscope", study, "DATA", "--out DIR", *words]),
        "blastscope": __version__,
        "trained_with": sorted({one.trained_with for one in measured.values()}),
        "data": {
            "name": data.resolve().name,
            "sha256": image_set.digest(),
            "n": len(image_set),
            "classes": dict(zip(image_set.labels, counts, strict=True)),
        },
        "part": part,
        "test_fraction": DEFAULT_TEST_FRACTION,
        "seeds": sorted({plan.seed for plan in measured}),
        "intervals": OVER_SEEDS,
        "rows": [_row(row, split, by_seed) for (row, split), by_seed in rows.items()],
    }


def _row(row: Row, split: SplitKind, by_seed: Mapping[int, Measurement]) -> dict[str, Any]:
    measurements = list(by_seed.values())
    options = RunPlan(row, split, 0).options()
    return {
        "row": row.name,
        "network": row.network,
        "training": {
            "epochs": options.epochs,
            "balance": options.balance,
            "augmentation": list(options.augmentation),
        },
        "split": split,
        "seeds": list(by_seed),
        "n": image_counts(measurements),
        "figures": summarize_row(measurements),
        "runs": [
            {"seed": seed, "rests_on": one.rests_on, "report": one.clean}
            for seed, one in by_seed.items()
        ],
    }


def rows_of(report: Mapping[str, Any], split: str) -> list[dict[str, Any]]:
    """Return a report's rows under one split."""
    return [row for row in report["rows"] if row["split"] == split]


def splits_of(report: Mapping[str, Any]) -> list[SplitKind]:
    """Return the splits that a report has rows of, in the order in which they are known."""
    return [split for split in SPLIT_KINDS if rows_of(report, split)]


def rests_on(report: Mapping[str, Any], split: SplitKind, *others: str) -> str:
    """Say what a table rests on: data, split, seeds, n, intervals, version, and the command.

    Args:
        report: as `base_report` returns it.
        split: the split that the table is of.
        others: what else is to be said of its intervals.
    """
    data, rows = report["data"], rows_of(report, split)
    seeds = [seed for row in rows for seed in row["seeds"]]
    n = _counts(rows)
    outside = round(100 * (1 - report["test_fraction"]))
    division = f"{outside}/{100 - outside} {CAVEATS[split]}"
    if fold_of_seed(split, 0) is not None:
        division = (
            f"{CAVEATS[split]}; {USUAL_FOLDS} folds, each seed testing the next one, so that "
            f"seeds 0 to {USUAL_FOLDS - 1} test each image once"
        )
    intervals = [
        f"means with {report['intervals']}, which tells nothing of other images"
        if len(set(seeds)) > 1
        else _ONE_SEED,
        *others,
    ]
    version = f"blastscope {report['blastscope']}"
    if report["trained_with"] != [report["blastscope"]]:
        version += f" (runs trained with {', '.join(report['trained_with'])})"
    return (
        f"Data: {data['name']}, version {data['sha256'][:12]}, {data['n']} images; "
        f"{division}; seeds {format_seeds(sorted(set(seeds)))}; "
        f"n = {n} images of the {report['part']} part for each seed; {'; '.join(intervals)}; "
        f"{version}. Printed again by `{report['command']}`."
    )


def below_chart(report: Mapping[str, Any]) -> str:
    """Say in a line what a chart of a study rests on: images, seeds and intervals."""
    data, seeds = report["data"], report["seeds"]
    intervals = f"means and {report['intervals']}" if len(seeds) > 1 else _ONE_SEED
    return (
        f"{data['name']}, version {data['sha256'][:12]}; seeds {format_seeds(seeds)}; {intervals}"
    )


def _counts(rows: Sequence[Mapping[str, Any]]) -> str:
    low = min(row["n"]["min"] for row in rows)
    high = max(row["n"]["max"] for row in rows)
    return f"{low}" if low == high else f"{low} to {high}"


def document(title: str, paragraphs: Iterable[str]) -> str:
    """Return a whole Markdown document.

    Args:
        title: its heading.
        paragraphs: tables and sentences, one after the other.
    """
    return "\n\n".join([f"## {title}", *paragraphs]) + "\n"
