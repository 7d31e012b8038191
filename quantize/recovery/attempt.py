"""One way to quantize a network, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Interpreter
from quantize.accuracy_gate.comparison import compare
from quantize.accuracy_gate.criterion import Criterion
from quantize.accuracy_gate.decision import Decision, decide


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A quantized network and the gate's decision on it.

    Attributes:
        step: of the recovery, such as "float layers".
        detail: what was done, in words.
        content: the TFLite model, without metadata.
        float_layers: names of the operations that stayed in float.
        calibration: which images of the pool its ranges were measured on; int64.
        decision: of the gate.
    """

    step: str
    detail: str
    content: bytes
    float_layers: tuple[str, ...]
    calibration: NDArray[np.int64]
    decision: Decision

    @property
    def held(self) -> bool:
        """Whether no limit was missed: where there are too few images, recovery is no help."""
        return self.decision.outcome != "failed"

    def as_dict(self) -> dict[str, Any]:
        """Return the attempt as a report has it; time is measured elsewhere."""
        held_out, unseen = self.decision.held_out, self.decision.unseen
        turned = unseen.malignant_to_benign()
        return {
            "step": self.step,
            "detail": self.detail,
            "outcome": self.decision.outcome,
            "bytes": len(self.content),
            "float_layers": list(self.float_layers),
            "calibration_images": len(self.calibration),
            "held_out_drop_points": held_out.drop_points,
            "drop_points": unseen.drop_points,
            "flips": len(unseen.flipped),
            "malignant_to_benign": None if turned is None else len(turned),
            "agreement": unseen.agreement,
            "mean_score_change": float(np.abs(unseen.float_scores - unseen.int8_scores).mean()),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """The float network's scores, to hold quantized versions against.

    Attributes:
        labels: the classes' names.
        images: all that no calibration sees; RGB, uint8, shape (n, side, side, 3).
        targets: their classes; int64, shape (n,).
        float_scores: what the float network says; float32, shape (n, classes).
        is_held_out: which of them are of `part`; bool, shape (n,).
        criterion: the limits.
        part: see `quantize.accuracy_gate.decision.decide`.
        must_show: see `quantize.accuracy_gate.decision.decide`.
    """

    labels: tuple[str, ...]
    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    float_scores: NDArray[np.float32]
    is_held_out: NDArray[np.bool_]
    criterion: Criterion
    part: str = "test"
    must_show: bool = False

    def decide(self, content: bytes) -> Decision:
        """Return the gate's decision on a quantized network.

        Args:
            content: a TFLite model, uint8 in and out.
        """
        scores = score(content, self.images)
        unseen = compare(self.targets, self.float_scores, scores, self.labels)
        held_out = unseen.take(np.flatnonzero(self.is_held_out))
        return decide(held_out, unseen, self.criterion, part=self.part, must_show=self.must_show)


def score(content: bytes, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a quantized network's scores with the runtime that a Pi uses.

    Args:
        content: a TFLite model, uint8 in and out.
        images: RGB, uint8, shape (n, side, side, 3), at the network's input size.

    Returns:
        float32, shape (n, classes).
    """
    interpreter = Interpreter(content, "just quantized")
    spec = interpreter.output
    rows = np.empty((len(images), *spec.shape[1:]), np.float32)
    for index, image in enumerate(images):
        interpreter.input_view()[...] = image
        interpreter.invoke()
        rows[index] = (interpreter.output_view().astype(np.float32) - spec.zero_point) * spec.scale
    return rows
