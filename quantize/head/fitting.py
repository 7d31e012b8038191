"""A linear head fitted to embeddings: selection and regression, folded into one dense layer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from edge.errors import TrainingError
from quantize.head.graph import DenseHead

#: How many features the head sees, unless asked otherwise.
FEATURES = 512

#: Inverse strengths of the regression's penalty that are tried.
STRENGTHS = (0.01, 0.03, 0.1)

_FOLDS = 3

#: A feature that varies by less than this in the training part is the same for all its images.
_LEAST_DEVIATION = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The features that a head sees, and how they are standardized.

    Attributes:
        columns: of the embedding, the best first; int64, shape (kept,).
        mean: of each in the training part; float64, shape (kept,).
        deviation: of each; float64, shape (kept,).
    """

    columns: NDArray[np.int64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def apply(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the selected features of embeddings (n, length), standardized; (n, kept)."""
        return (embeddings[:, self.columns].astype(np.float64) - self.mean) / self.deviation


def select_features(
    embeddings: NDArray[np.float32], targets: NDArray[np.int64], count: int
) -> Selection:
    """Keep the features with the greatest F of a one-way analysis of variance.

    Features that are the same for all images tell nothing and are left out.

    Args:
        embeddings: of a training part; float32, shape (n, length).
        targets: its classes; int64, shape (n,).
        count: how many to keep; fewer where fewer vary.

    Raises:
        TrainingError: none is kept.
    """
    values = embeddings.astype(np.float64)
    deviation = values.std(axis=0)
    varying = np.flatnonzero(deviation > _LEAST_DEVIATION)
    if len(varying) == 0 or count < 1:
        raise TrainingError(
            "A head sees one feature or more",
            got=f"{count} asked for, of {len(varying)} that differ between images",
            next_step="Give --features 512, and check that the images are not all alike",
        )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        scores = f_classif(values[:, varying], targets)[0]
    order = np.argsort(-np.nan_to_num(scores, nan=-1.0), kind="stable")[:count]
    columns = varying[order]
    return Selection(columns, values[:, columns].mean(axis=0), deviation[columns])


def rank_strengths(
    embeddings: NDArray[np.float32],
    targets: NDArray[np.int64],
    groups: NDArray[np.int64],
    count: int,
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
) -> list[tuple[float, float]]:
    """Return the strengths with their accuracy in folds of the training part, the best first.

    Features are selected anew inside each fold.

    Args:
        embeddings: of a training part; float32, shape (n, length).
        targets: its classes; int64, shape (n,).
        groups: which images stay together; int64, shape (n,).
        count: features to keep.
        seed: of the folds.
        strengths: to choose from.
    """
    right = dict.fromkeys(strengths, 0)
    for fit, score in _folds(targets, groups, seed):
        selection = select_features(embeddings[fit], targets[fit], count)
        fitted_on, scored = selection.apply(embeddings[fit]), selection.apply(embeddings[score])
        for strength in strengths:
            found = _regression(fitted_on, targets[fit], strength).predict(scored)
            right[strength] += int((found == targets[score]).sum())
    return sorted(((one, right[one] / len(targets)) for one in strengths), key=lambda row: -row[1])


def _folds(
    targets: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield positions to fit on and to score, each group on one side.

    A group goes by the class of its first image: scikit-learn's StratifiedGroupKFold, which weighs
    every class of every group, takes longer than all fits together. Where a class has too few
    groups, images are divided one by one: all that hangs on it is the order of the strengths.

    Raises:
        TrainingError: a class has fewer images than there are folds.
    """
    _, first, members = np.unique(groups, return_index=True, return_inverse=True)
    if np.bincount(targets[first], minlength=targets.max() + 1).min() < _FOLDS:
        first = members = np.arange(len(targets))
    counts = np.bincount(targets)
    if counts.min() < _FOLDS:
        raise TrainingError(
            f"Each class of the training part has {_FOLDS} images or more",
            got=f"{counts.min()}",
            next_step="Add images",
        )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    for fit, score in folds.split(np.zeros(len(first)), targets[first]):
        yield np.flatnonzero(np.isin(members, fit)), np.flatnonzero(np.isin(members, score))


def fit_head(
    selection: Selection,
    embeddings: NDArray[np.float32],
    targets: NDArray[np.int64],
    strength: float,
) -> DenseHead:
    """Fit a multinomial logistic regression, and fold standardization and selection into it.

    Args:
        selection: made on the same images.
        embeddings: of a training part; float32, shape (n, length).
        targets: its classes, each there; int64, shape (n,).
        strength: inverse strength of the penalty.

    Returns:
        A dense layer over the whole embedding, 0 for features that are not selected.
    """
    fitted = _regression(selection.apply(embeddings), targets, strength)
    # Of two classes scikit-learn gives one logit: that of the second against the first.
    kernel, bias = np.asarray(fitted.coef_), np.asarray(fitted.intercept_)
    if len(kernel) == 1:
        kernel, bias = np.vstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
    scaled = kernel.T / selection.deviation[:, None]
    weights = np.zeros((embeddings.shape[1], kernel.shape[0]))
    weights[selection.columns] = scaled
    return DenseHead(weights, bias - selection.mean @ scaled)


def _regression(
    values: NDArray[np.float64], targets: NDArray[np.int64], strength: float
) -> LogisticRegression:
    # Matrices as small as these take longer on several threads.
    with threadpool_limits(1):
        return LogisticRegression(C=strength, max_iter=1000, tol=1e-3).fit(values, targets)
