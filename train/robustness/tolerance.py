"""How far a degradation can go before accuracy falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.robustness.degradation import SEVERITIES, Degradation

#: Loss of accuracy that a degradation is followed up to, in percentage points.
TOLERATED_POINTS = 2.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Where accuracy has fallen by the tolerated points.

    Attributes:
        severity: 0 to 5, interpolated linearly between the severities measured; 5 where accuracy
            has not fallen so far.
        value: the degradation's parameter there, interpolated likewise.
        reached: False where accuracy has not fallen so far even at severity 5.
    """

    severity: float
    value: float
    reached: bool


def tolerance(
    degradation: Degradation,
    clean: float,
    accuracies: Sequence[float],
    points: float = TOLERATED_POINTS,
) -> Tolerance:
    """Find where accuracy first falls by more than some points below that on clean images.

    Args:
        degradation: what was measured; at severity 0 its parameter is `intact`.
        clean: accuracy on the images as they are, 0..1.
        accuracies: at severities 1 to 5, 0..1.
        points: the loss that is tolerated, in percentage points; above 0.
    """
    limit = clean - points / 100.0
    curve = (clean, *accuracies)
    values = (degradation.intact, *degradation.values)
    severity, reached = float(SEVERITIES[-1]), False
    for after in SEVERITIES:
        # A loss of exactly the points is tolerated, whatever the last bit of the subtraction says.
        if curve[after] < limit - 1e-9:
            before = curve[after - 1]
            severity, reached = after - 1 + (before - limit) / (before - curve[after]), True
            break
    value = float(np.interp(severity, (0, *SEVERITIES), values))
    return Tolerance(severity, value, reached)
