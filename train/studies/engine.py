"""A study's runs trained one after the other, and each measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import keras

from edge.errors import InterruptedTrainingError, OutputError
from train.fitting import FitProgress
from train.image_set import ImageSet
from train.recipes import find_recipe
from train.run_folder import RunFolder
from train.splits.kinds import SplitKind
from train.studies.clock import StudyClock
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets
from train.studies.measurement import Measurement
from train.studies.plan import RunPlan
from train.studies.run_state import read_metrics, require_own
from train.training import train

#: Called with one line for a person to read.
Tell = Callable[[str], None]

#: Each run's measurement, by its plan.
Measured = dict[RunPlan, Measurement]


class Versioned(Protocol):
    """What any measurement says of itself."""

    @property
    def rests_on(self) -> Mapping[str, Any]:
        """Versions of what it rests on, `split_sha256` among them."""
        ...


_Measurement = TypeVar("_Measurement", bound=Versioned)

#: Measures a finished run on one part of its split, or reads what was measured before.
Measure = Callable[[RunFolder, ImageSet, str], _Measurement]


def run_study(
    folder: StudyFolder,
    plans: Sequence[RunPlan],
    image_sets: ImageSets,
    part: str,
    *,
    measure: Measure[_Measurement],
    tell: Tell,
    fit_progress: FitProgress | None = None,
) -> dict[RunPlan, _Measurement]:
    """Train what is not trained yet, measure what is not measured yet, and return all of it.

    Args:
        folder: where the runs lie; it has been opened.
        plans: what to train.
        image_sets: the images.
        part: which part of each split is measured: "validation" or "test".
        measure: what is measured of each run.
        tell: gets a line before each run.
        fit_progress: see `train.fitting.FitProgress`.

    Returns:
        The measurements, in the order of the plans.

    Raises:
        InterruptedTrainingError: Ctrl-C came; the same command goes on.
        OutputError: a run folder is of another study, has another split than the other rows, or
            cannot be written.
        DatasetError, TrainingError: as `train.training.train` raises them.
    """
    clock = StudyClock()
    waiting = []
    for plan in plans:
        plan.options()
        run = RunFolder(plan.folder(folder.runs))
        metrics = read_metrics(run)
        if metrics is None:
            waiting.append(plan)
        else:
            require_own(run, plan, _digest(image_sets, plan))
            clock.add(plan.row.network, metrics["training_seconds"])
    if done := len(plans) - len(waiting):
        tell(f"{done} of {len(plans)} runs are finished already, and are taken as they are")
    measured: dict[RunPlan, _Measurement] = {}
    splits: dict[tuple[SplitKind, int], str] = {}
    try:
        for number, plan in enumerate(plans, start=1):
            run = RunFolder(plan.folder(folder.runs))
            if plan in waiting:
                tell(f"run {number} of {len(plans)}: {plan}; {_times(clock, waiting)}")
                started = time.monotonic()
                _train(run, plan, image_sets.data, fit_progress)
                clock.add(plan.row.network, time.monotonic() - started)
                waiting.remove(plan)
            measured[plan] = measure(run, _images(image_sets, plan), part)
            found = measured[plan].rests_on["split_sha256"]
            if splits.setdefault((plan.split, plan.seed), found) != found:
                raise _other_split(run, plan)
            # Keras keeps every network of a process until it is told not to.
            keras.utils.clear_session()
    except (KeyboardInterrupt, InterruptedTrainingError) as interruption:
        raise InterruptedTrainingError(
            "A study is complete once all of its runs are trained and measured",
            got=f"an interruption with {len(waiting)} of {len(plans)} still to be trained",
            next_step=f"Give the same command again: it goes on from what {folder.path} holds",
        ) from interruption
    return measured


def _train(run: RunFolder, plan: RunPlan, data: Path, fit_progress: FitProgress | None) -> None:
    """Begin a run, or go on with it where it was interrupted.

    Raises:
        KeyboardInterrupt: Ctrl-C came.
    """
    options = plan.options()
    result = train(
        plan.row.network,
        data,
        run.path,
        weights=options.weights,
        epochs=options.epochs,
        seed=options.seed,
        test_fraction=None if options.fold else options.test_fraction,
        balance=options.balance,
        augmentation=options.augmentation,
        split=options.split,
        fold=options.fold,
        resume=run.config.is_file(),
        fit_progress=fit_progress,
    )
    if result.interrupted:
        raise KeyboardInterrupt


def _other_split(run: RunFolder, plan: RunPlan) -> OutputError:
    return OutputError(
        "All rows of a study have the same split for the same seed",
        got=f"{run.path}, whose split is not that of the rows before it",
        next_step=f"Remove {run.path.parent.parent / '*' / run.path.name}, which were trained with "
        "several versions of blastscope, and give the same command again",
    )


def _digest(image_sets: ImageSets, plan: RunPlan) -> str:
    return _images(image_sets, plan).digest()


def _images(image_sets: ImageSets, plan: RunPlan) -> ImageSet:
    """Return the images as a run's network sees them."""
    recipe = find_recipe(plan.row.network)
    return image_sets.at(recipe.side, recipe.cell)


def _times(clock: StudyClock, waiting: Sequence[RunPlan]) -> str:
    left = clock.minutes_left(plan.row.network for plan in waiting)
    estimate = "the rest is not known yet" if left is None else f"about {left:.0f} more"
    return f"{clock.minutes_so_far():.0f} minutes so far, {estimate}"
