"""Whether a quantized model passes, fails, or was shown too few images to tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from quantize.accuracy_gate.comparison import Comparison
from quantize.accuracy_gate.criterion import Criterion
from quantize.accuracy_gate.paired import (
    CONFIDENCE,
    agreement_limit,
    drop_limits,
    images_for_agreement,
    images_for_drop,
    mcnemar,
)

State = Literal["shown", "held", "too few images", "missed"]
Outcome = Literal["passed", "too few images", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """One limit, and what was measured.

    Attributes:
        name: what is limited.
        images: which images were looked at.
        n: how many of them there were.
        measured: on these images; points, a count, or a share.
        limit: what the criterion allows.
        bound: the worst that the images leave possible, with confidence `CONFIDENCE`; None for a
            count.
        state: "missed" where the measured value is beyond the limit; "too few images" where it is
            within, but one image more would take it beyond even if none had changed; "held" where
            it is within; "shown" where the bound is within as well.
        enough: how many images would show it, if changes stay as frequent; None where no number
            would.
    """

    name: str
    images: str
    n: int
    measured: float
    limit: float
    bound: float | None
    state: State
    enough: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What came of the gate.

    Attributes:
        outcome: "failed" if a check was missed; else "too few images" if one could not be told;
            else "passed".
        checks: every limit.
        criterion: the limits.
        held_out: float against int8 on the images that no weight was fitted to.
        part: which those are: "test", or "validation" where no image was kept for testing.
        unseen: the same on every image that the calibration did not see.
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    criterion: Criterion
    held_out: Comparison
    part: str
    unseen: Comparison

    @property
    def missed(self) -> tuple[Check, ...]:
        """The checks that were missed, or for which there were too few images."""
        return tuple(one for one in self.checks if one.state in ("missed", "too few images"))

    def as_dict(self) -> dict[str, Any]:
        """Return outcome, limits, checks and paired counts, as a card or report has them."""
        return {
            "outcome": self.outcome,
            "confidence": CONFIDENCE,
            "criterion": self.criterion.as_dict(),
            "checks": [asdict(one) for one in self.checks],
            "part": self.part,
            "held_out": _paired(self.held_out),
            "unseen_by_calibration": _paired(self.unseen),
        }


def decide(
    held_out: Comparison,
    unseen: Comparison,
    criterion: Criterion,
    *,
    part: str = "test",
    must_show: bool = False,
) -> Decision:
    """Hold a quantized model against a criterion.

    Accuracy is held on the test part, which neither training nor calibration has seen (or on the
    validation part, which decided on nothing but how sure the network says it is). All limits
    are held on every image that the calibration has not seen: whether int8 says what float says can
    be asked of training images as well, and rare changes take many images to be seen. Networks are
    surer of training images, so that fewer of those change.

    Args:
        held_out: on the test part, or on the validation part where there is no other.
        unseen: on all images but the calibration set.
        criterion: the limits.
        part: which of the two.
        must_show: what is only held counts as too few images.
    """
    others, name = "all but the calibration set", "accuracy drop in points"
    present = np.unique(unseen.targets)
    checks = [
        _drop_check(name, f"{part} part", held_out, criterion.max_drop_points),
        _drop_check(name, others, unseen, criterion.max_drop_points),
        *(
            _drop_check(
                f"{label} sensitivity drop in points",
                others,
                unseen,
                criterion.max_sensitivity_drop_points,
                label,
            )
            for target, label in enumerate(unseen.labels)
            if target in present
        ),
    ]
    turned = unseen.malignant_to_benign()
    if turned is not None:
        limit = criterion.max_malignant_to_benign
        checks.append(
            Check(
                "malignant turned benign",
                others,
                unseen.n,
                len(turned),
                limit,
                None,
                "shown" if len(turned) <= limit else "missed",
                None,
            )
        )
    checks.append(_agreement_check(others, unseen, criterion.min_agreement))
    states = {one.state for one in checks}
    outcome: Outcome = "passed"
    if "missed" in states:
        outcome = "failed"
    elif "too few images" in states or (must_show and "held" in states):
        outcome = "too few images"
    return Decision(outcome, tuple(checks), criterion, held_out, part, unseen)


def _drop_check(
    name: str, images: str, comparison: Comparison, limit: float, label: str | None = None
) -> Check:
    lost, gained = comparison.lost_and_gained(label)
    n = comparison.n
    if label is not None:
        n = int((comparison.targets == comparison.labels.index(label)).sum())
    measured = 100 * (lost - gained) / n
    bound = 100 * drop_limits(lost, gained, n)[1]
    return Check(
        name,
        images,
        n,
        measured,
        limit,
        bound,
        _state(measured <= limit, bound <= limit, 100 / n, limit),
        images_for_drop(lost, gained, n, limit / 100),
    )


def _agreement_check(images: str, comparison: Comparison, limit: float) -> Check:
    n = comparison.n
    same = n - len(comparison.flipped)
    bound = agreement_limit(same, n)
    return Check(
        "agreement with float",
        images,
        n,
        comparison.agreement,
        limit,
        bound,
        _state(comparison.agreement >= limit, bound >= limit, 1 / n, 1 - limit),
        images_for_agreement(same, n, limit),
    )


def _state(within: bool, bound_within: bool, one_image: float, limit: float) -> State:
    """Return a check's state.

    Args:
        within: the measured value is within the limit.
        bound_within: its bound is.
        one_image: what one changed image makes of the measured value.
        limit: of that value; where it is 0 or less, not one image may change, however many
            there are.
    """
    if not within:
        return "missed"
    if bound_within:
        return "shown"
    return "too few images" if 0 < limit < one_image else "held"


def _paired(comparison: Comparison) -> dict[str, Any]:
    """Return the paired counts and what they say."""
    lost, gained = comparison.lost_and_gained()
    low, high = drop_limits(lost, gained, comparison.n)
    same = comparison.n - len(comparison.flipped)
    turned = comparison.malignant_to_benign()
    return {
        "n": comparison.n,
        "float_accuracy": float((comparison.float_classes == comparison.targets).mean()),
        "int8_accuracy": float((comparison.int8_classes == comparison.targets).mean()),
        "lost": lost,
        "gained": gained,
        "drop_points": comparison.drop_points,
        "drop_points_limits": [100 * low, 100 * high],
        "mcnemar_p": mcnemar(lost, gained),
        "flips": len(comparison.flipped),
        "malignant_to_benign": None if turned is None else len(turned),
        "agreement": comparison.agreement,
        "agreement_limit": agreement_limit(same, comparison.n),
        "largest_score_change": float(
            np.abs(comparison.float_scores - comparison.int8_scores).max()
        ),
    }
