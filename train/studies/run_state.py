"""How far a planned run has come, and whether its folder is really its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.errors import OutputError
from train.recipes import find_recipe
from train.run_folder import RunFolder
from train.studies.plan import RunPlan


def read_metrics(run: RunFolder) -> dict[str, Any] | None:
    """Return what a finished run's `metrics.json` holds; None for a run that is not finished."""
    if not run.model.is_file():
        return None
    try:
        metrics: dict[str, Any] = json.loads(run.metrics.read_text(encoding="utf-8"))
        finished = metrics["epochs_finished"] >= run.read_config().epochs
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return metrics if finished else None


def finished_rows(plans: Sequence[RunPlan], runs: Path) -> tuple[RunPlan, ...]:
    """Return the plans of those rows that are finished, with every seed, under a split.

    Args:
        plans: of whole rows.
        runs: the folder of a study's runs.
    """
    waiting = {
        (plan.row, plan.split)
        for plan in plans
        if read_metrics(RunFolder(plan.folder(runs))) is None
    }
    return tuple(plan for plan in plans if (plan.row, plan.split) not in waiting)


def require_own(run: RunFolder, plan: RunPlan, data_digest: str) -> None:
    """Refuse a run folder that was trained on other images or with other options than planned.

    Weights out of a file are compared by the file's name, since a study may have been moved from
    another machine.

    Raises:
        OutputError: it was.
        TrainingError: the folder is no run folder, or the plan does not fit the network.
    """
    config, options = run.read_config(), plan.options()
    pairs: dict[str, tuple[Any, Any]] = {
        "network": (config.network, plan.row.network),
        "images": (config.data_digest[:12], data_digest[:12]),
        "split": (config.split, options.split),
        "seed": (config.seed, options.seed),
        "fold or test fraction": (
            config.fold or config.test_fraction,
            options.fold or options.test_fraction,
        ),
        "epochs": (config.epochs, options.epochs),
        "balance": (config.balance, options.balance),
        "augmentation": (tuple(config.augmentation), options.augmentation),
        "weights": (_name(config.weights), _name(options.weights)),
        "rates": (config.rates, find_recipe(plan.row.network).rates()),
    }
    if changed := [
        f"{name} {old!r} and not {new!r}" for name, (old, new) in pairs.items() if old != new
    ]:
        raise OutputError(
            "A study's finished runs are taken as they are, if they were trained as it asks",
            got=f"{run.path} with {'; '.join(changed)}",
            next_step="Give the options that the study began with, choose another --out, or remove "
            "that run",
        )


def _name(weights: str | None) -> str | None:
    return None if weights is None else Path(weights).name
