"""C-NMC 2019 under random splits and on unseen subjects, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import DatasetError
from edge.labels import CELL_LABELS
from train.fitting import FitProgress
from train.image_set import ImageSet, Progress
from train.recipes import find_recipe
from train.run_folder import RunFolder
from train.splits.division import find_groups
from train.splits.kinds import SplitKind
from train.splits.unseen_subjects import most_folds
from train.studies.cnmc.cell_scores import CellScores, Quantized, score_cells
from train.studies.cnmc.report import cell_report
from train.studies.engine import Tell, run_study
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets
from train.studies.plan import Row, RunPlan

#: The network, and the row of the study's table.
NETWORK = "cell"

STUDY = "reproduce cnmc"


def reproduce_cells(
    data: Path,
    out: Path,
    *,
    seeds: Sequence[int],
    quantized: Mapping[str, Quantized],
    epochs: int | None = None,
    options: Mapping[str, str | None] | None = None,
    tell: Tell = lambda line: None,
    read_progress: Progress | None = None,
    fit_progress: FitProgress | None = None,
) -> dict[str, Any]:
    """Train and score the network under random splits, and on subjects that it has not seen.

    Args:
        data: C-NMC 2019, or a folder with `all` and `hem`, in the set's own file names.
        out: the study's folder; runs that it holds are taken as they are.
        seeds: of the random splits, one run for each. The folds are tested once each, whatever
            these are.
        quantized: what makes each precision besides float, by its name.
        epochs: passes over the training part; None takes the recipe's.
        options: the command's options, to be printed with the tables.
        tell: gets a line before each run.
        read_progress: called with (images read, images in all).
        fit_progress: see `train.fitting.FitProgress`.

    Returns:
        What `train.studies.cnmc.report.cell_report` returns.

    Raises:
        DatasetError: the images are of other classes, or cannot be used.
        SplitError: file names tell no subjects, or a class has one subject only.
        TrainingError: an option does not fit.
        InterruptedTrainingError: Ctrl-C came; the same call goes on.
        OutputError: `out` holds something else, or cannot be written.
    """
    recipe = find_recipe(NETWORK)
    row = Row(NETWORK, NETWORK, epochs=epochs)
    RunPlan(row, "random", 0).options()
    image_sets = ImageSets(data, read_progress)
    image_set = image_sets.at(recipe.side, recipe.cell)
    if image_set.labels != CELL_LABELS:
        raise DatasetError(
            f"C-NMC has the classes {' and '.join(CELL_LABELS)}",
            got=f"{', '.join(image_set.labels)} in {image_set.folder}",
            next_step="Pass the folder of C-NMC 2019, DOI 10.7937/tcia.2019.dc64i46r",
        )
    subjects = find_groups(image_set, "unseen-subjects").groups
    folds = most_folds(image_set.targets, subjects)
    plans = [
        *(RunPlan(row, "random", seed) for seed in seeds),
        *(RunPlan(row, "unseen-subjects", fold, folds) for fold in range(folds)),
    ]
    folder = StudyFolder(out)
    folder.open(STUDY, image_set)

    def measure(run: RunFolder, images: ImageSet, part: str) -> CellScores:
        return score_cells(run, images, part, quantized)

    measured = run_study(
        folder, plans, image_sets, "test", measure=measure, tell=tell, fit_progress=fit_progress
    )
    by_split: dict[SplitKind, list[CellScores]] = {}
    splits: dict[SplitKind, list[Any]] = {}
    for plan, scores in measured.items():
        by_split.setdefault(plan.split, []).append(scores)
        splits.setdefault(plan.split, []).append(RunFolder(plan.folder(folder.runs)).read_split())
    return cell_report(STUDY, options or {}, image_set, subjects, by_split, splits) | {
        "seeds": list(seeds),
        "folds": folds,
        "training": {
            "network": NETWORK,
            "side": recipe.side,
            "epochs": plans[0].options().epochs,
            "augmentation": list(recipe.augmentation),
            "cell": None if recipe.cell is None else recipe.cell.as_json(),
        },
    }
