"""When the fields seen so far answer for a specimen, and how many more it would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edge.errors import BlastscopeError
from edge.specimen.error_rates import (
    CLASS_ERROR_CORRELATION,
    ERROR_CORRELATION,
    ErrorRates,
)
from edge.specimen.share import ShareLikelihood

SpecimenVerdict = Literal["malignant", "benign", "more", "refer"]

#: Why a specimen is for a person to look at, as scripts find it.
TOO_MANY_REFERRED: Final = "too many fields are for a person to look at"
UNDECIDED: Final = "even the most fields would not decide"

#: Fields from which on the share of those that are referred is believed.
_LEAST_FIELDS = 10


@dataclass(frozen=True, slots=True)
class SpecimenRule:
    """What makes an answer.

    Attributes:
        malignant_share: a specimen is malignant where its share of malignant fields is above this.
        benign_share: it is benign where the share is below this.
        confidence: of both, at whatever number of fields one stops.
        most_fields: where so many do not decide, a person has to.
        most_referred: the largest share of fields that may be for a person to look at.
        design_effect: how many fields of one specimen carry the information of one that was chosen
            on its own. No image set says where on a slide its fields lie; 2 stands for fields that
            come in pairs of the very same content.
        correlation: of the model's errors within a specimen, benign against malignant.
        class_correlation: the same for each class; at least `correlation`.

    Raises:
        BlastscopeError: a number is out of its range.
    """

    malignant_share: float = 0.5
    benign_share: float = 0.2
    confidence: float = 0.95
    most_fields: int = 200
    most_referred: float = 0.2
    design_effect: float = 2.0
    correlation: float = ERROR_CORRELATION
    class_correlation: float = CLASS_ERROR_CORRELATION

    def __post_init__(self) -> None:
        shares = 0.0 < self.benign_share <= self.malignant_share < 1.0
        if not (shares and 0.0 < self.confidence < 1.0 and 0.0 <= self.most_referred <= 1.0):
            raise BlastscopeError(
                "A specimen's shares and confidence lie between 0 and 1, and the share below which "
                "it is benign is at most the one above which it is malignant",
                got=f"{self.benign_share:g} and {self.malignant_share:g}, confidence "
                f"{self.confidence:g}, referred {self.most_referred:g}",
                next_step="Correct these numbers",
            )
        correlated = 0.0 <= self.correlation < 1.0 and 0.0 <= self.class_correlation < 1.0
        if not (correlated and self.design_effect >= 1.0 and self.most_fields >= 1):
            raise BlastscopeError(
                "Correlations are 0 or more and below 1, and the design effect and the most fields "
                "are 1 or more",
                got=f"{self.correlation:g} and {self.class_correlation:g}, "
                f"{self.design_effect:g}, {self.most_fields}",
                next_step="Correct these numbers",
            )


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that were fit to be looked at.

    Attributes:
        positive: those with a result that is malignant.
        results: those with a result.
        referred: those for a person to look at, of which the model says nothing.
    """

    positive: float
    results: float
    referred: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.results + self.referred


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the fields so far come to.

    Attributes:
        verdict: "malignant", "benign", "more" (take more fields) or "refer" (have a person look).
        reasons: why there is no answer.
        share: of malignant fields, as explains them best, in 0..1; None before the first result.
        interval: what the share is between, at the rule's confidence.
        more_fields: about how many more it takes, at the shares so far or, where these would never
            decide, at the best; None unless the verdict is "more".
    """

    verdict: SpecimenVerdict
    reasons: tuple[str, ...]
    share: float | None
    interval: tuple[float, float]
    more_fields: int | None


class Decider:
    """Applies a rule.

    Fields that are for a person to look at may be of any class: the interval's lower limit takes
    them all for benign, and its upper one for malignant (Manski, "Nonparametric Bounds on Treatment
    Effects", American Economic Review 80, 1990).

    Args:
        rates: the model's, malignant against benign.
        rule: what makes an answer.
    """

    def __init__(self, rates: ErrorRates, rule: SpecimenRule) -> None:
        self._rates = rates
        self._rule = rule
        self._likelihood = ShareLikelihood(rates, rule.design_effect)

    def decide(self, fields: Fields) -> Outcome:
        """Say what the fields come to."""
        rule = self._rule
        share = self._likelihood.best(fields.positive, fields.results)
        interval = self.interval(fields)
        verdict = self.verdict(interval)
        if verdict is not None:
            return Outcome(verdict, (), share, interval, None)
        reasons = []
        if fields.total >= _LEAST_FIELDS and fields.referred > rule.most_referred * fields.total:
            reasons.append(TOO_MANY_REFERRED)
        more = self._more_fields(fields, interval)
        if more is None:
            reasons.append(UNDECIDED)
        if reasons:
            return Outcome("refer", tuple(reasons), share, interval, None)
        return Outcome("more", (), share, interval, more)

    def interval(self, fields: Fields) -> tuple[float, float]:
        """Return what the share of malignant fields is between."""
        confidence = self._rule.confidence
        low, high = self._likelihood.interval(fields.positive, fields.total, confidence)
        if fields.referred:
            most = fields.positive + fields.referred
            high = self._likelihood.interval(most, fields.total, confidence)[1]
        return low, high

    def verdict(self, interval: tuple[float, float]) -> SpecimenVerdict | None:
        """Return the answer that an interval gives by itself; None where it gives none."""
        if interval[0] > self._rule.malignant_share:
            return "malignant"
        return "benign" if interval[1] < self._rule.benign_share else None

    def _more_fields(self, fields: Fields, interval: tuple[float, float]) -> int | None:
        """Return how many more fields would decide; None where the most that are taken would not.

        First at the shares so far; where that never decides, at the best that the interval allows:
        no more fields to refer, and all others as many or as few malignant as it has them.
        """
        room = int(self._rule.most_fields - fields.total)
        if room < 1:
            return None
        if fields.total:
            found = self._least(
                fields, room, fields.positive / fields.total, fields.referred / fields.total
            )
            if found is not None:
                return found
        low, high = interval
        fewest = low * self._rates.sensitivity.mean
        most = 1.0 - (1.0 - high) * self._rates.specificity.mean
        tries = [self._least(fields, room, share, 0.0) for share in (fewest, most)]
        return min((one for one in tries if one is not None), default=None)

    def _least(self, fields: Fields, room: int, positive: float, referred: float) -> int | None:
        """Return the least number of fields to come that decides, if they are so; by bisection."""

        def decides(more: int) -> bool:
            to_come = Fields(
                fields.positive + positive * more,
                fields.results + (1.0 - referred) * more,
                fields.referred + referred * more,
            )
            return self.verdict(self.interval(to_come)) is not None

        if not decides(room):
            return None
        low, high = 0, room
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if decides(middle) else (middle, high)
        return high
