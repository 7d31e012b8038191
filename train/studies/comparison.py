"""Ways to train one network, each set beside one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from train.fitting import FitProgress
from train.image_set import ImageSet, Progress
from train.recipes import find_recipe
from train.splits.kinds import SplitKind
from train.studies.engine import Measured, Tell, run_study
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets
from train.studies.measurement import AS_THEY_ARE, measure_run
from train.studies.paired import paired_difference, verdict
from train.studies.plan import Row, plan_runs
from train.studies.report import base_report

#: The difference in sensitivity for the class with the fewest images.
RAREST_CLASS = "rarest class"


def compare_rows(
    study: str,
    rows: Sequence[Row],
    data: Path,
    out: Path,
    *,
    seeds: Sequence[int],
    splits: Sequence[SplitKind],
    part: str,
    alterations: Sequence[str] = (),
    options: Mapping[str, str | None] | None = None,
    tell: Tell = lambda line: None,
    read_progress: Progress | None = None,
    fit_progress: FitProgress | None = None,
) -> dict[str, Any]:
    """Train and measure every row, and compare each with the first on the same images.

    Args:
        study: the words of the command that name it.
        rows: ways to train one network; the first is what the others are compared with.
        data: holds `<class>/` or `Original/<class>/` with images.
        out: the study's folder; runs that it holds are taken as they are.
        seeds: one run for each.
        splits: out of `train.splits.kinds.SPLIT_KINDS`.
        part: "validation" or "test".
        alterations: names out of `train.studies.measurement` that are compared too.
        options: the command's options, to be printed with the tables.
        tell: gets a line before each run.
        read_progress: called with (images read, images in all).
        fit_progress: see `train.fitting.FitProgress`.

    Returns:
        What `train.studies.report.base_report` returns, and `network, baseline, rarest_class`. All
        rows but the first have `differences`: for each of "as they are", the alterations and
        `RAREST_CLASS`, what `train.studies.paired.paired_difference` returns and its `verdict`.

    Raises:
        TrainingError: an option does not fit.
        DatasetError: the images cannot be used.
        InterruptedTrainingError: Ctrl-C came; the same call goes on.
        OutputError: `out` holds something else, or cannot be written.
    """
    plans = plan_runs(rows, splits, seeds)
    for plan in plans:
        plan.options()
    image_sets = ImageSets(data, read_progress)
    image_set = image_sets.at(find_recipe(rows[0].network).side)
    folder = StudyFolder(out)
    folder.open(f"{study} of {rows[0].network}", image_set)
    measured = run_study(
        folder,
        plans,
        image_sets,
        part,
        measure=measure_run,
        tell=tell,
        fit_progress=fit_progress,
    )
    counts = np.bincount(image_set.targets, minlength=len(image_set.labels))
    rarest = image_set.labels[int(counts.argmin())]
    report = base_report(study, options or {}, data, image_set, measured, part)
    for row in report["rows"]:
        if row["row"] != rows[0].name:
            row["differences"] = _differences(
                measured, row, rows[0].name, image_set, rarest, alterations
            )
    return report | {
        "network": rows[0].network,
        "baseline": rows[0].name,
        "rarest_class": rarest,
    }


def _differences(
    measured: Measured,
    row: Mapping[str, Any],
    baseline: str,
    image_set: ImageSet,
    rarest: str,
    alterations: Sequence[str],
) -> dict[str, dict[str, Any]]:
    by_row = {
        name: [
            measurement
            for plan, measurement in measured.items()
            if plan.row.name == name and plan.split == row["split"]
        ]
        for name in (row["row"], baseline)
    }
    ours, theirs = by_row[row["row"]], by_row[baseline]
    found = {name: paired_difference(ours, theirs, name) for name in (AS_THEY_ARE, *alterations)}
    target = image_set.labels.index(rarest)
    found[RAREST_CLASS] = paired_difference(ours, theirs, AS_THEY_ARE, target)
    return {
        name: {**one, "verdict": verdict(one)} for name, one in found.items() if one is not None
    }
