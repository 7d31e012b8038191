"""A paper's table made again, beside what its figures are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import DatasetError
from train.fitting import FitProgress
from train.image_set import ImageSet, Progress
from train.recipes import find_recipe
from train.run_folder import RunFolder
from train.splits.kinds import SplitKind
from train.studies.baselines import summarize_shortcuts
from train.studies.engine import Tell, run_study
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets
from train.studies.measurement import measure_run
from train.studies.papers import Paper, find_paper
from train.studies.plan import Row, plan_runs
from train.studies.promises import check_promises
from train.studies.report import base_report

#: Side in pixels at which shortcuts look at images: that of both networks' larger input.
SHORTCUT_SIDE = 224


def reproduce(
    key: str,
    data: Path,
    out: Path,
    *,
    seeds: Sequence[int],
    splits: Sequence[SplitKind],
    networks: Sequence[str] | None = None,
    weights: str | None = None,
    epochs: int | None = None,
    options: dict[str, str | None] | None = None,
    tell: Tell = lambda line: None,
    read_progress: Progress | None = None,
    fit_progress: FitProgress | None = None,
) -> dict[str, Any]:
    """Train and measure a paper's networks over several seeds, under random and grouped splits.

    Args:
        key: a name out of `train.studies.papers.PAPERS`.
        data: the folder of the paper's images.
        out: the study's folder; runs that it holds are taken as they are.
        seeds: one run for each.
        splits: out of `train.splits.kinds.SPLIT_KINDS`.
        networks: which of the paper's rows; None takes all.
        weights: of MobileNetV2's backbone; None takes the recipe's.
        epochs: passes over the training part; None takes the recipes'.
        options: the command's options, to be printed with the tables.
        tell: gets a line before each run.
        read_progress: called with (images read, images in all).
        fit_progress: see `train.fitting.FitProgress`.

    Returns:
        What `train.studies.report.base_report` returns, and `paper {key, citation, caveat,
        accuracies}`, `shortcuts` (by split, as `train.studies.baselines.summarize_shortcuts`
        returns them) and `promises` (as `train.studies.promises.check_promises` returns them).

    Raises:
        TrainingError: there is no such paper, or an option does not fit.
        DatasetError: the images are not the paper's, or cannot be used.
        InterruptedTrainingError: Ctrl-C came; the same call goes on.
        OutputError: `out` holds something else, or cannot be written.
    """
    paper = find_paper(key)
    rows = [
        Row(name, name, weights if find_recipe(name).default_weights else None, epochs=epochs)
        for name in networks or paper.accuracies
    ]
    plans = plan_runs(rows, splits, seeds)
    for plan in plans:
        plan.options()
    image_sets = ImageSets(data, read_progress)
    image_set = image_sets.at(SHORTCUT_SIDE)
    _require_classes(paper, image_set)
    folder = StudyFolder(out)
    study = f"reproduce {key}"
    folder.open(study, image_set)
    measured = run_study(
        folder,
        plans,
        image_sets,
        "test",
        measure=measure_run,
        tell=tell,
        fit_progress=fit_progress,
    )
    # All rows have the same splits: any row's run tells them.
    of_splits = {
        split: [
            RunFolder(plan.folder(folder.runs)).read_split()
            for plan in plans
            if plan.row == rows[0] and plan.split == split
        ]
        for split in splits
    }
    tell("scoring shortcuts under the same splits")
    report = base_report(study, options or {}, data, image_set, measured, "test") | {
        "paper": {
            "key": paper.key,
            "citation": paper.citation,
            "data": paper.data,
            "caveat": paper.caveat,
            "accuracies": dict(paper.accuracies),
        },
        "shortcuts": summarize_shortcuts(image_set, of_splits),
    }
    return report | {"promises": check_promises(report)}


def _require_classes(paper: Paper, image_set: ImageSet) -> None:
    if set(image_set.labels) != paper.labels:
        raise DatasetError(
            f"{paper.key} is about the classes {', '.join(sorted(paper.labels))}",
            got=f"{', '.join(image_set.labels)} in {image_set.folder}",
            next_step=f"Pass the folder of {paper.data}",
        )
