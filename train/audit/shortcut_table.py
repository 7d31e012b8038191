"""How well shortcuts do under random and grouped splits, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.cli.options import percent
from edge.errors import SplitError
from train.audit.shortcuts import CLASSIFIERS, SHORTCUTS, Features, shortcut_baselines
from train.evaluation.metrics import wilson_interval
from train.image_set import ImageSet, Progress
from train.splits.division import FOLDS_SEED, Grouping, divide, k_folds
from train.splits.kinds import USUAL_FOLDS, SplitKind, fold_of_seed
from train.splits.split import DEFAULT_TEST_FRACTION, Split

#: Splits of each kind; their seeds follow one another.
REPEATS = 5

#: The kinds of split that are compared, and what stays undivided under each.
SPLITS: dict[SplitKind, str] = {
    "random": "images are divided at random; only near duplicates stay on one side",
    "grouped": f"whole pseudo-groups, in {USUAL_FOLDS} folds, each seed testing the next one",
}

#: Share of what the largest class leaves to be gained. A shortcut that gains as much tells the
#: class, or tells it in part.
_TELLS = 0.8
_TELLS_IN_PART = 0.3

_SUBJECTS = {
    "colour": "Colour alone tells",
    "corner": "The bottom right corner alone tells",
    "background": "The background without white cells tells",
    "container": "The files' outside (format, size, compression) alone tells",
}
_REMEDIES = {
    "colour": "train with strong colour augmentation, and test under colour shifts",
    "corner": "show a model's accuracy with this corner blanked",
    "background": "show that a model looks at white cells",
    "container": "where the classes differ in format, pixels or quality, store them alike",
}


def shortcut_table(
    image_set: ImageSet,
    features: Features,
    groups: Mapping[SplitKind, NDArray[np.int64]],
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score every shortcut under `REPEATS` splits of each kind.

    Args:
        image_set: n images.
        features: what `train.audit.shortcuts.shortcut_features` returns for them.
        groups: for each name in `SPLITS`, what stays undivided: each image's group, int64 (n,).
        seed: of the first split of each kind.
        progress: called with (splits scored, splits in all).

    Returns:
        `test_fraction, seeds, shortcuts {name: what it looks at}` and `splits`: for each kind
        `{keeps_together, n, chance, majority, baselines}`, or `{keeps_together, error}` where the
        set cannot be divided so. `n` is the mean size of a test part, `chance` one in so many
        classes, `majority` the largest class's share of the test parts. For each "SHORTCUT,
        CLASSIFIER" the baselines have `shortcut, classifier, accuracy, accuracy_ci95, lowest,
        highest, balanced_accuracy`: means over the seeds, the lowest and highest of them, and
        Wilson's interval of the mean for one test part's n, as if its images were independent.
    """
    seeds = list(range(seed, seed + REPEATS))
    table: dict[str, Any] = {
        "test_fraction": DEFAULT_TEST_FRACTION,
        "seeds": seeds,
        "shortcuts": SHORTCUTS,
        "splits": {},
    }
    for number, kind in enumerate(SPLITS):
        rounds: list[dict[str, dict[str, Any]]] = []
        majorities: list[float] = []
        entry: dict[str, Any] = {"keeps_together": SPLITS[kind]}
        try:
            for done, one_seed in enumerate(seeds, start=1):
                split = _divide(image_set, Grouping(kind, groups["random"], groups[kind]), one_seed)
                rounds.append(shortcut_baselines(image_set, split.parts, features))
                tested = image_set.targets[split.indices("test")]
                majorities.append(float(np.bincount(tested).max() / len(tested)))
                if progress is not None:
                    progress(number * REPEATS + done, len(SPLITS) * REPEATS)
        except SplitError as error:
            entry["error"] = str(error)
        else:
            entry |= {
                "n": round(float(np.mean([next(iter(one.values()))["n"] for one in rounds]))),
                "chance": 1 / len(image_set.labels),
                "majority": float(np.mean(majorities)),
                "baselines": {name: _mean([one[name] for one in rounds]) for name in rounds[0]},
            }
        table["splits"][kind] = entry
    if progress is not None:
        progress(len(SPLITS) * REPEATS, len(SPLITS) * REPEATS)
    return table


def _divide(image_set: ImageSet, grouping: Grouping, seed: int) -> Split:
    fold = fold_of_seed(grouping.kind, seed)
    if fold is None:
        return divide(image_set, grouping, DEFAULT_TEST_FRACTION, seed)
    return k_folds(image_set, grouping, fold.folds, FOLDS_SEED)[fold.number - 1]


def _mean(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    accuracies = [report["accuracy"] for report in reports]
    accuracy = float(np.mean(accuracies))
    n = round(float(np.mean([report["n"] for report in reports])))
    return {
        "shortcut": reports[0]["shortcut"],
        "classifier": reports[0]["classifier"],
        "accuracy": accuracy,
        "accuracy_ci95": list(wilson_interval(round(accuracy * n), n)),
        "lowest": min(accuracies),
        "highest": max(accuracies),
        "balanced_accuracy": float(np.mean([report["balanced_accuracy"] for report in reports])),
    }


def best_classifier(split: Mapping[str, Any], shortcut: str) -> Mapping[str, Any]:
    """Return the baseline of the classifier that does best by one shortcut."""
    baselines: list[Mapping[str, Any]] = [
        split["baselines"][f"{shortcut}, {classifier}"] for classifier in CLASSIFIERS
    ]
    return max(baselines, key=lambda one: float(one["accuracy"]))


def verdicts(table: Mapping[str, Any]) -> list[str]:
    """Say in sentences what the shortcuts mean for figures measured on this set.

    Args:
        table: as `shortcut_table` returns it.

    Returns:
        One sentence or two for each shortcut that tells the class, wholly or in part; one
        sentence where none does, or where it could not be measured.
    """
    random, grouped = table["splits"]["random"], table["splits"]["grouped"]
    if "error" in random:
        return ["The set cannot be divided, so that nothing can be said of shortcuts."]
    said = []
    for shortcut in table["shortcuts"]:
        best = best_classifier(random, shortcut)
        gain = _gain(best["accuracy"], random["majority"])
        if gain < _TELLS_IN_PART:
            continue
        where = (
            f"({percent(best['accuracy'])} of test images under random splits; the largest class "
            f"is {percent(random['majority'])})"
        )
        if gain >= _TELLS:
            said.append(
                f"{_SUBJECTS[shortcut]} the class {where}: a random split of this set cannot show "
                f"that a model has learnt cells. {_under_groups(shortcut, grouped)}"
            )
        else:
            said.append(
                f"{_SUBJECTS[shortcut]} the class in part {where}: {_REMEDIES[shortcut]}. "
                f"{_under_groups(shortcut, grouped)}"
            )
    return said or ["None of the shortcuts that were tried tells the class."]


def _under_groups(shortcut: str, grouped: Mapping[str, Any]) -> str:
    if "error" in grouped:
        return "The set cannot be divided by pseudo-groups."
    accuracy = best_classifier(grouped, shortcut)["accuracy"]
    if _gain(accuracy, grouped["majority"]) >= _TELLS:
        return f"Under grouped splits it still tells {percent(accuracy)}: {_REMEDIES[shortcut]}."
    return f"Under grouped splits it tells {percent(accuracy)}: report both."


def _gain(accuracy: float, majority: float) -> float:
    """Return which share of what the largest class leaves to be gained was gained."""
    return (accuracy - majority) / max(1.0 - majority, 1e-9)
