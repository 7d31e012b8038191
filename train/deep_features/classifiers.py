"""Classifiers of selected features, and what of each is chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC


@dataclass(frozen=True, slots=True)
class ClassifierKind:
    """A classifier, and the values of the one setting that is chosen.

    Attributes:
        title: what a table calls it.
        setting: what is chosen, in words; empty where nothing is.
        values: to choose from; (0.0,) where there is nothing to choose.
        make: builds it from a value and a seed.
    """

    title: str
    setting: str
    values: tuple[float, ...]
    make: Callable[[float, int], Any]


CLASSIFIERS: dict[str, ClassifierKind] = {
    "svm-linear": ClassifierKind(
        "SVM (linear)",
        "C",
        (0.01, 0.1),
        lambda value, seed: SVC(kernel="linear", C=value, break_ties=True),
    ),
    "svm-rbf": ClassifierKind(
        "SVM (RBF)", "C", (1.0, 10.0), lambda value, seed: SVC(C=value, break_ties=True)
    ),
    "logistic": ClassifierKind(
        "logistic regression",
        "C",
        (0.01, 0.1),
        lambda value, seed: LogisticRegression(C=value, max_iter=1000, tol=1e-3),
    ),
    "forest": ClassifierKind(
        "random forest",
        "",
        (0.0,),
        lambda value, seed: RandomForestClassifier(100, random_state=seed, n_jobs=1),
    ),
    "knn": ClassifierKind(
        "k-NN",
        "k",
        (1.0, 5.0),
        lambda value, seed: KNeighborsClassifier(int(value), n_jobs=1),
    ),
    "boosting": ClassifierKind(
        "gradient boosting",
        "",
        (0.0,),
        lambda value, seed: HistGradientBoostingClassifier(
            max_iter=30, max_leaf_nodes=15, early_stopping=False, random_state=seed
        ),
    ),
    "mlp": ClassifierKind(
        "MLP",
        "",
        (0.0,),
        lambda value, seed: MLPClassifier(
            (64,), alpha=1e-2, max_iter=40, tol=0.0, n_iter_no_change=40, random_state=seed
        ),
    ),
}


def class_scores(classifier: Any, x: NDArray[Any]) -> NDArray[np.float32]:
    """Return scores that add up to 1, the highest of which is the class that is predicted.

    Support vector machines have no probabilities; the softmax of their decision function stands
    for them, and is not calibrated.

    Args:
        classifier: fitted; a classifier or a pipeline that ends in one.
        x: features; shape (n, columns).

    Returns:
        float32, shape (n, classes).
    """
    if hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict_proba(x), np.float32)
    margins = np.asarray(classifier.decision_function(x), np.float64)
    if margins.ndim == 1:
        margins = np.stack([-margins, margins], axis=1) / 2
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
