"""Ways to select among features, as a step of a scikit-learn pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import f_classif
from sklearn.linear_model import Lasso, RidgeClassifier

from edge.errors import TrainingError

#: Penalty of the Lasso, on standardized features and classes as 0 and 1.
LASSO_PENALTY = 0.005

#: Trees whose importances are taken.
_TREES = 100

#: Share of the features left that each round of elimination takes away, as Guyon et al. advise for
#: many features; and how many are left when nothing more is taken away.
_ELIMINATED, _LEFT_AT_LAST = 0.2, 8

#: Most principal components that are computed.
_MOST_COMPONENTS = 512

#: Takes standardized features (n, columns), classes (n,) and a seed; returns columns, best first.
_Ranking = Callable[[NDArray[np.float64], NDArray[np.int64], int], NDArray[np.int64]]


def _anova(x: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rank by the F statistic of a one-way analysis of variance between the classes."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # A column may be constant in one fold alone: its F is no number, and it comes last.
        warnings.simplefilter("ignore")
        scores = f_classif(x, y)[0]
    return np.asarray(np.argsort(-np.nan_to_num(scores, nan=-1.0), kind="stable"), np.int64)


def _rfe(x: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rank by recursive elimination with a linear least-squares classifier.

    Guyon et al., "Gene Selection for Cancer Classification using Support Vector Machines", Machine
    Learning 46 (2002). scikit-learn's RFE gives one count of features, and would be fitted anew for
    each; the order of elimination gives all counts at once.
    """
    left = np.arange(x.shape[1])
    eliminated: list[NDArray[np.int64]] = []
    while len(left):
        weights = np.atleast_2d(RidgeClassifier().fit(x[:, left], y).coef_)
        order = np.argsort((weights**2).sum(axis=0), kind="stable")
        few = len(left) <= _LEFT_AT_LAST
        count = len(left) if few else max(1, int(_ELIMINATED * len(left)))
        eliminated.append(left[order[:count]])
        left = np.sort(left[order[count:]])
    return np.concatenate(eliminated)[::-1]


def _forest(x: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rank by a random forest's importances: Breiman, "Random Forests", Machine Learning 45."""
    forest = RandomForestClassifier(_TREES, random_state=seed, n_jobs=1).fit(x, y)
    return np.argsort(-forest.feature_importances_, kind="stable")


def _lasso(x: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rank by a Lasso's coefficients, and leave out those that are 0 for every class."""
    classes = np.unique(y)
    wanted = (y[:, None] == classes).astype(np.float64)
    with warnings.catch_warnings():
        # How far it has converged changes the order of the last ones only.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = Lasso(LASSO_PENALTY, tol=1e-3, max_iter=500, precompute=True).fit(x, wanted)
    strength = np.abs(np.atleast_2d(fitted.coef_)).sum(axis=0)
    order = np.argsort(-strength, kind="stable")
    return np.asarray(order[strength[order] > 0], np.int64)


_RANKINGS: dict[str, _Ranking] = {
    "anova": _anova,
    "rfe": _rfe,
    "forest": _forest,
    "lasso": _lasso,
}

#: Each way to select, and what it is.
SELECTORS: dict[str, str] = {
    "anova": "analysis of variance (F)",
    "rfe": "recursive feature elimination",
    "forest": "random forest importance",
    "lasso": "Lasso",
    "pca": "principal components",
}


class FeatureSelector(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Keeps the best features, or the first principal components.

    A fit ranks all features, and `transform` takes the first `count` of them: another count of the
    same ranking costs no other fit.

    Args:
        method: a name out of `SELECTORS`.
        count: how many to keep; fewer where the method has no more.
        seed: of what is random.
    """

    def __init__(self, method: str, count: int, seed: int = 0) -> None:
        self.method = method
        self.count = count
        self.seed = seed

    def fit(self, x: NDArray[Any], y: NDArray[np.int64]) -> Self:
        """Rank the features.

        Args:
            x: standardized features; shape (n, columns).
            y: classes; int64, shape (n,).

        Raises:
            TrainingError: nothing is selected.
        """
        values = np.asarray(x, np.float64)
        if self.method == "pca":
            most = min(_MOST_COMPONENTS, *values.shape)
            self.components_ = PCA(most, svd_solver="covariance_eigh").fit(values)
            return self
        self.order_ = np.asarray(_RANKINGS[self.method](values, y, self.seed), np.int64)
        if len(self.order_) == 0 or self.count < 1:
            raise TrainingError(
                "A selector keeps one feature or more",
                got=f"none of {values.shape[1]} by {self.method}"
                + (f" with {self.count} asked for" if self.count < 1 else ""),
                next_step="Choose other --selectors, or check that the classes' images differ",
            )
        return self

    def transform(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Return the features that are kept; shape (n, kept)."""
        values = np.asarray(x, np.float64)
        if self.method == "pca":
            return np.asarray(self.components_.transform(values)[:, : self.count], np.float64)
        return values[:, self.order_[: self.count]]

    @property
    def kept(self) -> int:
        """How many features a fitted selector keeps."""
        there = self.components_.n_components_ if self.method == "pca" else len(self.order_)
        return min(self.count, int(there))
