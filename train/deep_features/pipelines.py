"""A pipeline of standardization, selection and classification."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

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


def build_pipeline(settings: Settings) -> Pipeline:
    """Return an unfitted pipeline with the steps `scale`, `select` and `classify`."""
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("select", FeatureSelector(settings.selector, settings.count, settings.seed)),
            ("classify", CLASSIFIERS[settings.classifier].make(settings.value, settings.seed)),
        ]
    )
