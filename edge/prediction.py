"""What a classifier says about one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.decision import Verdict


@dataclass(frozen=True, slots=True)
class Prediction:
    """The result for one frame.

    Attributes:
        label: the class with the highest score.
        scores: each class's softmax probability, in [0, 1], in the order of the model's outputs.
        timing_ms: wall-clock milliseconds spent in each stage, such as "preprocess" and "invoke".
        model_id: name and content digest of the model file, such as "custom-cnn@1f2e3d4c".
        decision: "result", "repeat" (take the frame again) or "refer" (have a person look at it).
        reasons: why there is no result, in a few words each; empty where there is one.
        instructions: what to do about each reason.
        likely: the conformal set: every class that is likely enough, in the model's order. It
            holds one class where there is a result; with more or none the frame is to be referred.
    """

    label: str
    scores: Mapping[str, float]
    timing_ms: Mapping[str, float]
    model_id: str
    decision: Verdict = "result"
    reasons: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return a dictionary that `json.dumps` takes."""
        return {
            "label": self.label,
            "decision": self.decision,
            "reasons": list(self.reasons),
            "instructions": list(self.instructions),
            "likely": list(self.likely),
            "scores": dict(self.scores),
            "timing_ms": dict(self.timing_ms),
            "model": self.model_id,
        }
