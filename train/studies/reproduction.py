"""A paper's table made again, beside what its figures are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import DatasetError, TrainingError
from train.fitting import FitProgress
from train.image_set import ImageSet, Progress
from train.recipes import find_recipe
from train.run_folder import RunFolder
from train.splits.kinds import SplitKind
from train.splits.split import Split
from train.studies.baselines import summarize_shortcuts
from train.studies.engine import Tell, run_study
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets
from train.studies.measurement import measure_run
from train.studies.papers import Paper, find_paper
from train.studies.plan import Row, RunPlan, plan_runs
from train.studies.promises import check_promises
from train.studies.report import base_report
from train.studies.run_state import finished_rows

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
    only_finished: bool = False,
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
        only_finished: train nothing, and leave out rows that lack a seed.
        options: the command's options, to be printed with the tables.
        tell: gets a line before each run.
        read_progress: called with (images read, images in all).
        fit_progress: see `train.fitting.FitProgress`.

    Returns:
        What `train.studies.report.base_report` returns, and `paper {key, citation, caveat,
        accuracies}`, `shortcuts` (by split, as `train.studies.baselines.summarize_shortcuts`
        returns them) and `promises` (as `train.studies.promises.check_promises` returns them).

    Raises:
        TrainingError: there is no such paper, an option does not fit, or no row is finished where
            finished ones alone are asked for.
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
    if only_finished:
        plans = _finished(plans, folder, tell)
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
    runs = {(plan.split, plan.seed): RunFolder(plan.folder(folder.runs)) for plan in plans}
    of_splits: dict[SplitKind, list[Split]] = {}
    for (split, _), run in runs.items():
        of_splits.setdefault(split, []).append(run.read_split())
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


def _finished(plans: tuple[RunPlan, ...], folder: StudyFolder, tell: Tell) -> tuple[RunPlan, ...]:
    """Return the plans of finished rows, and tell which others are left out."""
    finished = finished_rows(plans, folder.runs)
    for row, split in dict.fromkeys((plan.row, plan.split) for plan in plans):
        if not any((plan.row, plan.split) == (row, split) for plan in finished):
            tell(f"left out, since a seed is not trained yet: {row.name}, {split} split")
    if not finished:
        raise TrainingError(
            "A row is shown once all of its seeds are trained",
            got=f"no such row in {folder.path}",
            next_step="Leave --finished out to train them, or name fewer --seeds",
        )
    return finished


def _require_classes(paper: Paper, image_set: ImageSet) -> None:
    if set(image_set.labels) != paper.labels:
        raise DatasetError(
            f"{paper.key} is about the classes {', '.join(sorted(paper.labels))}",
            got=f"{', '.join(image_set.labels)} in {image_set.folder}",
            next_step=f"Pass the folder of {paper.data}",
        )
