"""What a drift watch has to say, once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.quality.assessment import Quality, assess
from edge.quality.drift import DriftWarning, DriftWatch
from edge.quality.limits import QualityLimits, load_limits


class DriftLog:
    """Follows frames, and tells each warning when it begins and when it ends.

    Args:
        limits: what the measures must keep; None for the limits that come with blastscope.
        calibration: of the calibration frame, as `DriftWatch` takes it.

    Attributes:
        warnings: how often each measure began to drift, such as "brightness falling".
    """

    def __init__(
        self, limits: QualityLimits | None = None, calibration: Quality | None = None
    ) -> None:
        self.warnings: Counter[str] = Counter()
        self._watch = DriftWatch(load_limits() if limits is None else limits, calibration)
        self._active: dict[str, DriftWarning] = {}

    def update(self, frame: NDArray[np.uint8], captured_s: float | None) -> list[dict[str, Any]]:
        """Take in the next frame; one that is not due costs nothing.

        Args:
            frame: RGB, uint8, shape (height, width, 3).
            captured_s: when it was taken, in monotonic seconds; None where each frame is of another
                place, as in a recording.

        Returns:
            Events, most often none: `event` ("drift" or "drift-ended"), `message`, and what
            `DriftWarning` has.

        Raises:
            FrameError: the frame is not RGB uint8.
        """
        if not self._watch.is_due(captured_s):
            return []
        now = {
            f"{one.measure} {one.direction}": one
            for one in self._watch.update(assess(frame), captured_s)
        }
        begun = [name for name in now if name not in self._active]
        ended = [name for name in self._active if name not in now]
        events: list[dict[str, Any]] = [
            {"event": "drift", "message": str(now[name]), **now[name].as_json()} for name in begun
        ]
        for name in ended:
            message = f"{name} no more."
            events.append(
                {"event": "drift-ended", "message": message, **self._active[name].as_json()}
            )
        self.warnings.update(begun)
        self._active = now
        return events
