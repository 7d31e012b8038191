"""How often a model errs on a specimen that it has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edge.errors import ModelFileError
from edge.model_file import ModelFile

#: How much alike the errors on one smear are, benign against malignant: the intra-class
#: correlation. Between 0.00 and 0.07 in the pseudo-groups of grouped divisions, and at most 0.16
#: by their intervals (`python -m train.specimen`, docs/specimen.md).
ERROR_CORRELATION: Final = 0.1

#: The same for one class against all others; up to 0.53 there.
CLASS_ERROR_CORRELATION: Final = 0.5


@dataclass(frozen=True, slots=True)
class BetaRate:
    """A rate that differs from specimen to specimen, as a beta distribution.

    Attributes:
        a: first shape, above 0.
        b: second shape, above 0.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """The mean, in 0..1."""
        return self.a / (self.a + self.b)

    @classmethod
    def of_counts(cls, right: float, n: int, correlation: float) -> BetaRate:
        """Return the rate of a specimen to come, after so many images were right.

        The mean rate has Jeffreys' posterior, Beta(right + 1/2, n - right + 1/2), and a specimen's
        own scatters about it with an intra-class correlation, which makes counts beta-binomial
        (Skellam, "A Probability Distribution Derived from the Binomial Distribution by Regarding
        the Probability of Success as Variable between the Sets of Trials", JRSS B 10, 1948). By
        the law of total variance, both together scatter by m (1 - m) r about the mean m, with
        r = correlation + (1 - correlation) / (n + 2); the beta distribution of that mean and
        variance is taken.

        Args:
            right: how many of the n were right.
            n: how many there were; 0 where nothing is known.
            correlation: of the errors within a specimen, 0 or more and below 1.
        """
        mean = (right + 0.5) / (n + 1.0)
        spread = correlation + (1.0 - correlation) / (n + 2.0)
        total = 1.0 / spread - 1.0
        return cls(mean * total, (1.0 - mean) * total)


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """A model's rates for one class, or several, against all others.

    Attributes:
        sensitivity: share of the fields of the class that are told as such.
        specificity: share of the others that are not.
    """

    sensitivity: BetaRate
    specificity: BetaRate


def malignant_rates(model: ModelFile, correlation: float = ERROR_CORRELATION) -> ErrorRates:
    """Return the rates of telling malignant fields from benign ones.

    Args:
        model: with its card's int8 figures.
        correlation: of the errors within a specimen.

    Raises:
        ModelFileError: the model's card says neither which class is benign nor how often it errs.
    """
    benign = class_rates(model, benign_class(model), correlation)
    return ErrorRates(benign.specificity, benign.sensitivity)


def class_rates(
    model: ModelFile, label: str, correlation: float = CLASS_ERROR_CORRELATION
) -> ErrorRates:
    """Return the rates of telling the fields of one class from all others.

    Args:
        model: with its card's int8 figures.
        label: the class.
        correlation: of the errors within a specimen.

    Raises:
        ModelFileError: the model's card does not say how often it errs.
    """
    try:
        figures: Mapping[str, Any] = model.card["metrics"]["int8"]
        one, in_all = figures["per_class"][label], int(figures["n"])
        n = int(one["n"])
        sensitivity, specificity = float(one["sensitivity"]), float(one["specificity"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"A specimen needs a model whose card says how often it errs, as {model.path} should",
            got=f"no sensitivity and specificity of {label}",
            next_step="Take a model that `blastscope quantize` made",
        ) from error
    others = max(in_all - n, 0)
    return ErrorRates(
        BetaRate.of_counts(round(sensitivity * n), n, correlation),
        BetaRate.of_counts(round(specificity * others), others, correlation),
    )


def benign_class(model: ModelFile) -> str:
    """Return which class is benign.

    Raises:
        ModelFileError: the model's card does not say.
    """
    label = model.card["decision"]["benign_label"]
    if label not in model.labels:
        raise ModelFileError(
            f"A specimen needs a model whose card says which class is benign, as {model.path} "
            "should",
            got=f"the classes {', '.join(model.labels)}",
            next_step="Take a model with a class named Benign or hem",
        )
    return str(label)
