"""Whether there is a result, or the frame is to be taken again, or to be shown to a person.

Three rules, with limits that were fitted on images and that the model carries:

* A frame that is blurred, badly lit or without white cells is to be taken again, whatever the
  network says of it (`edge.quality`).
* A frame whose embedding is further from those of the training than nearly all such images are is
  unlike what the network knows (`edge.domain`).
* The classes that are likely enough make up a conformal set: in all but a chosen share of images
  like those, the true class is in it (Sadinle, Lei and Wasserman, "Least Ambiguous Set-Valued
  Classifiers With Bounded Error Levels", JASA 2019). There is a result if it holds one class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from edge.decision_rule import benign_last

if TYPE_CHECKING:
    from edge.quality import Finding

Verdict = Literal["result", "repeat", "refer"]

#: The reasons that there may be not to answer, as scripts find them, and what they mean.
UNLIKE_TRAINING: Final = "unlike the training images"
NO_CLASS: Final = "no class is likely enough"
SEVERAL_CLASSES: Final = "several classes are likely"

REASONS: Final[dict[str, str]] = {
    UNLIKE_TRAINING: "The network was not trained on anything like this frame: check smear, stain "
    "and magnification, or have it looked at.",
    NO_CLASS: "The network is not sure enough of any class: have it looked at.",
    SEVERAL_CLASSES: "The network cannot tell classes apart here: have it looked at.",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with a frame.

    Attributes:
        verdict: "result", "repeat" (take it again) or "refer" (have a person look at it).
        reasons: out of `REASONS`, or those of `edge.quality.Finding`; empty for a result.
        instructions: what to do about each.
        likely: the conformal set: every class that is likely enough, in the model's order.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    instructions: tuple[str, ...]
    likely: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model's answers are held against.

    Attributes:
        least_probability: from which on a class is likely enough, in [0, 1].
        most_distance: the furthest that an embedding may be, as `edge.domain.Domain.distance`
            has it; None where the model has no domain.
    """

    least_probability: float
    most_distance: float | None


def decide(
    scores: Mapping[str, float],
    distance: float | None,
    limits: Limits | None,
    findings: Sequence[Finding] = (),
) -> Decision:
    """Decide on a frame by its scores and its embedding.

    Args:
        scores: each class's probability, in the model's order.
        distance: of its embedding; None where the model has no domain.
        limits: the model's; None where it has none. Every answer is then a result.
        findings: what is wrong with the frame's quality.
    """
    if limits is None:
        labels, values = tuple(scores), tuple(scores.values())
        best = max(benign_last(labels), key=values.__getitem__)
        return Decision("result", (), (), (labels[best],))
    least = limits.least_probability
    likely = tuple([label for label, score in scores.items() if score >= least])
    if findings:
        said = tuple(one.reason for one in findings)
        return Decision("repeat", said, tuple(one.instruction for one in findings), likely)
    return _without_findings(likely, _is_further(distance, limits.most_distance))


@lru_cache(maxsize=64)
def _without_findings(likely: tuple[str, ...], is_further: bool) -> Decision:
    """Decide on a good frame. There are few answers, and most frames have the same one."""
    reasons: list[str] = []
    if is_further:
        reasons.append(UNLIKE_TRAINING)
    if len(likely) != 1:
        reasons.append(SEVERAL_CLASSES if likely else NO_CLASS)
    instructions = tuple(REASONS[reason] for reason in reasons)
    return Decision("refer" if reasons else "result", tuple(reasons), instructions, likely)


def _is_further(distance: float | None, limit: float | None) -> bool:
    # A distance that is no number is too far.
    return distance is not None and limit is not None and not distance <= limit
