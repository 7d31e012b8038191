"""A pipeline of standardization, selection and classification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from train.deep_features.classifiers import CLASSIFIERS
from train.deep_features.selection import FeatureSelector


@dataclass(frozen=True, slots=True)
class Settings:
    """What a pipeline is made of.

    Attributes:
        selector: a name out of `train.deep_features.selection.SELECTORS`.
        classifier: a name out of `train.deep_features.classifiers.CLASSIFIERS`.
        count: features that are kept.
        value: of the classifier's setting; 0 where it has none.
        seed: of what is random.
    """

    selector: str
    classifier: str
    count: int
    value: float
    seed: int


def signed_root(values: NDArray[Any]) -> NDArray[Any]:
    """Return the square roots of features, with the features' signs.

    Means of activations are skewed: a few images have many times the others' value. Perronnin et
    al., "Improving the Fisher Kernel for Large-Scale Image Classification", ECCV 2010.
    """
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def build_pipeline(settings: Settings) -> Pipeline:
    """Return an unfitted pipeline with the steps `root`, `scale`, `select` and `classify`."""
    return Pipeline(
        [
            ("root", FunctionTransformer(signed_root)),
            ("scale", StandardScaler()),
            ("select", FeatureSelector(settings.selector, settings.count, settings.seed)),
            ("classify", CLASSIFIERS[settings.classifier].make(settings.value, settings.seed)),
        ]
    )
