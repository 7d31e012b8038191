"""What an int8 model must hold to be written."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from edge.errors import QuantizationError


@dataclass(frozen=True, slots=True)
class Criterion:
    """The limits; all are inclusive.

    Attributes:
        max_drop_points: largest loss of accuracy, in percentage points.
        max_sensitivity_drop_points: largest loss of any class's sensitivity, in percentage points.
        max_malignant_to_benign: most images of a malignant class that float calls malignant and
            int8 calls benign.
        min_agreement: least share of images to which both give the same class, in [0, 1].
    """

    max_drop_points: float = 0.3
    max_sensitivity_drop_points: float = 0.5
    max_malignant_to_benign: int = 0
    min_agreement: float = 0.995

    def __post_init__(self) -> None:
        """Refuse limits that let everything pass.

        Raises:
            QuantizationError: a limit is no number, or out of its range.
        """
        points = (self.max_drop_points, self.max_sensitivity_drop_points)
        if not all(math.isfinite(value) and -100.0 <= value <= 100.0 for value in points):
            raise QuantizationError(
                "A largest drop is a number of percentage points up to 100",
                got=", ".join(f"{value:g}" for value in points),
                next_step="Give --max-drop 0.3, say",
            )
        if self.max_malignant_to_benign < 0 or not 0.0 <= self.min_agreement <= 1.0:
            raise QuantizationError(
                "Changes from malignant to benign are counted from 0 on, and agreement is a share",
                got=f"{self.max_malignant_to_benign} and {self.min_agreement:g}",
                next_step="Give --max-malignant-to-benign 0 and --min-agreement 0.995, say",
            )

    def as_dict(self) -> dict[str, float | int]:
        """Return the limits by name."""
        return asdict(self)
