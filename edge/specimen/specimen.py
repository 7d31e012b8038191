"""The fields of one specimen, gathered, and the answer that they give together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.labels import DISCLAIMER
from edge.model_file import ModelFile
from edge.prediction import Prediction
from edge.specimen.error_rates import benign_class, class_rates, malignant_rates
from edge.specimen.places import Places
from edge.specimen.rule import Decider, Fields, Outcome, SpecimenRule, SpecimenVerdict
from edge.specimen.share import ShareLikelihood


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One class among the fields with a result.

    Attributes:
        fields: how many were told as of this class.
        share: of the specimen's fields that are, as explains that best, in 0..1; None without any
            result.
        interval: what it is between.
    """

    fields: int
    share: float | None
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SpecimenAnswer:
    """What the fields so far say about a specimen. Research use only, not a medical device.

    Attributes:
        outcome: the answer, the share of malignant fields, and how many more fields it takes.
        classes: each class, in the model's order.
        stage: the malignant class with the most fields, where the answer is malignant; None
            otherwise. How sure it is, its share's interval says.
        malignant: fields with a malignant result.
        results: fields with a result.
        referred: fields for a person to look at.
        repeated: frames to be taken again, which count for nothing.
        seen_before: frames of a place that was counted already.
        effective_fields: how many independent fields those with a result are worth.
        confidence: of the intervals, at whatever number of fields one stops.
    """

    outcome: Outcome
    classes: dict[str, ClassShare]
    stage: str | None
    malignant: int
    results: int
    referred: int
    repeated: int
    seen_before: int
    effective_fields: float
    confidence: float

    @property
    def verdict(self) -> SpecimenVerdict:
        """The answer: "malignant", "benign", "more" or "refer"."""
        return self.outcome.verdict

    @property
    def interval(self) -> tuple[float, float]:
        """What the share of malignant fields is between."""
        return self.outcome.interval

    @property
    def more_fields(self) -> int | None:
        """About how many more fields it takes; None unless the verdict is "more"."""
        return self.outcome.more_fields

    def as_json(self) -> dict[str, Any]:
        """Return a dictionary that `json.dumps` takes."""
        return {
            "answer": self.verdict,
            "reasons": list(self.outcome.reasons),
            "more_fields": self.more_fields,
            "stage": self.stage,
            "malignant": {
                "fields": self.malignant,
                "share": self.outcome.share,
                "interval": list(self.interval),
            },
            "classes": {
                label: {"fields": one.fields, "share": one.share, "interval": list(one.interval)}
                for label, one in self.classes.items()
            },
            "fields": {
                "results": self.results,
                "referred": self.referred,
                "repeated": self.repeated,
                "seen_before": self.seen_before,
                "effective": self.effective_fields,
            },
            "confidence": self.confidence,
            "notice": DISCLAIMER,
        }


class Specimen:
    """Gathers the fields of one specimen; start a new one with each slide.

    Args:
        model: the one that classifies them, with its card's figures.
        rule: what makes an answer; None for the usual one.

    Raises:
        ModelFileError: the model's card says neither which class is benign nor how often it errs.
    """

    def __init__(self, model: ModelFile, rule: SpecimenRule | None = None) -> None:
        self._model = model
        self._rule = rule or SpecimenRule()
        self._benign = benign_class(model)
        self._decider = Decider(malignant_rates(model, self._rule.correlation), self._rule)
        self._places = Places()
        self._labels: Counter[str] = Counter()
        self._referred = 0
        self._repeated = 0
        self._seen_before = 0
        self._outcome: Outcome | None = None

    def add(self, prediction: Prediction, frame: NDArray[np.uint8] | None = None) -> bool:
        """Take in a frame.

        Args:
            prediction: what the model says of it.
            frame: RGB, uint8, shape (height, width, 3), so that a place counts once however many
                frames show it; None where each frame is known to be of another place.

        Returns:
            Whether it counts: it is fit to be looked at, and of a new place.
        """
        if prediction.decision == "repeat":
            self._repeated += 1
            return False
        if frame is not None and not self._places.add(frame):
            self._seen_before += 1
            return False
        if prediction.decision == "refer":
            self._referred += 1
        else:
            self._labels[prediction.label] += 1
        self._outcome = None
        return True

    @property
    def outcome(self) -> Outcome:
        """The answer so far; worked out anew where a field was counted since."""
        if self._outcome is None:
            self._outcome = self._decider.decide(
                Fields(self._malignant, self._labels.total(), self._referred)
            )
        return self._outcome

    def answer(self) -> SpecimenAnswer:
        """Return all that the fields so far say."""
        results = self._labels.total()
        outcome = self.outcome
        malignant = [label for label in self._model.labels if label != self._benign]
        leading = max(malignant, key=lambda label: self._labels[label])
        return SpecimenAnswer(
            outcome=outcome,
            classes={label: self._class_share(label) for label in self._model.labels},
            stage=leading if outcome.verdict == "malignant" else None,
            malignant=self._malignant,
            results=results,
            referred=self._referred,
            repeated=self._repeated,
            seen_before=self._seen_before,
            effective_fields=results / self._rule.design_effect,
            confidence=self._rule.confidence,
        )

    @property
    def _malignant(self) -> int:
        return self._labels.total() - self._labels[self._benign]

    def _class_share(self, label: str) -> ClassShare:
        fields, results = self._labels[label], self._labels.total()
        rule, is_benign = self._rule, label == self._benign
        alike = rule.correlation if is_benign else rule.class_correlation
        rates = class_rates(self._model, label, alike)
        likelihood = ShareLikelihood(rates, self._rule.design_effect)
        low, high = likelihood.interval(fields, results + self._referred, self._rule.confidence)
        if self._referred:
            most, total = fields + self._referred, results + self._referred
            high = likelihood.interval(most, total, self._rule.confidence)[1]
        return ClassShare(fields, likelihood.best(fields, results), (low, high))
