"""Nested cross-validation of one selector with several classifiers, in one outer division.

Settings are chosen by folds inside the training part, and the pipeline that is fitted on all of it
scores the test part once: Varma and Simon, "Bias in error estimation when using cross-validation
for model selection", BMC Bioinformatics 7 (2006). A selector is fitted inside each fold, and once
for all counts and classifiers, since a ranking does not depend on them: what is scored is what the
pipeline of `train.deep_features.pipelines` gives.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from train.deep_features.classifiers import CLASSIFIERS
from train.deep_features.inner_folds import inner_folds
from train.deep_features.pipelines import signed_root
from train.deep_features.selection import FeatureSelector
from train.splits.kinds import SplitKind


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """One outer division.

    Attributes:
        kind: of the division.
        seed: of all that is random.
        groups: each image's group; int64, shape (n,).
        fitted_on: positions of the training and validation parts; int64.
        tested_on: positions of the test part; int64.
    """

    kind: SplitKind
    seed: int
    groups: NDArray[np.int64]
    fitted_on: NDArray[np.int64]
    tested_on: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class _Ranked:
    """A training part, standardized and ranked, and the images to score."""

    scaler: StandardScaler
    selector: FeatureSelector
    fitted_on: NDArray[Any]
    scored: NDArray[Any]
    seconds: float


def nested_scores(
    values: NDArray[np.float32],
    targets: NDArray[np.int64],
    division: Division,
    selector: str,
    classifiers: Sequence[str],
    counts: Sequence[int],
) -> dict[str, Any]:
    """Score one selector with several classifiers, on one core.

    Args:
        values: features; float32, shape (n, columns).
        targets: classes; int64, shape (n,).
        division: of these n images.
        selector: a name out of `train.deep_features.selection.SELECTORS`.
        classifiers: names out of `train.deep_features.classifiers.CLASSIFIERS`.
        counts: how many features to choose from.

    Returns:
        For each classifier `grid` (a list of `count, value, accuracies`, those of the inner
        folds), `count, value` (the chosen ones: of several as good the fewest features),
        `inner_accuracy`, `kept` (features in the end), `accuracy, macro_f1` (on the test part),
        `predicted` (its classes) and `fit_seconds` (of the pipeline with the chosen settings).

    Raises:
        TrainingError: the selector keeps nothing.
        SplitError: the training part cannot be divided.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        # The passes are part of the setting: an MLP that has not converged is as it is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        values = signed_root(values)
        counts = sorted({min(count, values.shape[1]) for count in counts})
        outer = (division.fitted_on, division.tested_on)
        fitted_targets = targets[division.fitted_on]
        folds = [
            (division.fitted_on[fit], division.fitted_on[score])
            for fit, score in inner_folds(
                fitted_targets, division.groups[division.fitted_on], division.kind, division.seed
            )
        ]
        ranked = [
            (_rank(values, targets, fold, selector, counts[-1], division.seed), fold)
            for fold in folds
        ]
        whole = _rank(values, targets, outer, selector, counts[-1], division.seed)
        return {
            name: _score(name, whole, ranked, outer, targets, counts, division.seed)
            for name in classifiers
        }


def _rank(
    values: NDArray[np.float32],
    targets: NDArray[np.int64],
    fold: tuple[NDArray[np.int64], NDArray[np.int64]],
    selector: str,
    count: int,
    seed: int,
) -> _Ranked:
    started = time.perf_counter()
    scaler = StandardScaler().fit(values[fold[0]])
    scaled = scaler.transform(values[fold[0]])
    ranking = FeatureSelector(selector, count, seed).fit(scaled, targets[fold[0]])
    seconds = time.perf_counter() - started
    # At the largest count: a smaller one takes the first columns of these.
    return _Ranked(
        scaler,
        ranking,
        ranking.transform(scaled),
        ranking.transform(scaler.transform(values[fold[1]])),
        seconds,
    )


def _score(
    name: str,
    whole: _Ranked,
    ranked: Sequence[tuple[_Ranked, tuple[NDArray[np.int64], NDArray[np.int64]]]],
    outer: tuple[NDArray[np.int64], NDArray[np.int64]],
    targets: NDArray[np.int64],
    counts: Sequence[int],
    seed: int,
) -> dict[str, Any]:
    kind = CLASSIFIERS[name]
    grid: list[dict[str, Any]] = []
    for count in counts:
        for value in kind.values:
            accuracies = []
            for one, (fit, score) in ranked:
                classifier = kind.make(value, seed).fit(one.fitted_on[:, :count], targets[fit])
                found = classifier.predict(one.scored[:, :count])
                accuracies.append(float((found == targets[score]).mean()))
            grid.append({"count": count, "value": value, "accuracies": accuracies})
    best = max(grid, key=lambda row: (float(np.mean(row["accuracies"])), -row["count"]))
    count = best["count"]
    started = time.perf_counter()
    classifier = kind.make(best["value"], seed).fit(whole.fitted_on[:, :count], targets[outer[0]])
    seconds = time.perf_counter() - started + whole.seconds
    predicted = classifier.predict(whole.scored[:, :count])
    truth = targets[outer[1]]
    return {
        "grid": grid,
        "count": count,
        "value": best["value"],
        "inner_accuracy": float(np.mean(best["accuracies"])),
        "kept": min(count, whole.fitted_on.shape[1]),
        "accuracy": float((predicted == truth).mean()),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0.0)),
        "predicted": predicted.tolist(),
        "fit_seconds": seconds,
    }
