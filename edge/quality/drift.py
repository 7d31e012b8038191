"""Slow changes of light, colour and focus, told before they spoil results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.quality.assessment import Quality
from edge.quality.instructions import INSTRUCTIONS
from edge.quality.limits import QualityLimits
from edge.quality.trend import Trend

#: What is watched, and the least spread from one median of frames to the next that is believed, in
#: the measure's unit.
_WATCHED: Mapping[str, float] = {
    "brightness": 0.5,
    "clipped_white": 0.005,
    "green_red": 0.25,
    "blue_yellow": 0.25,
    "sharpness": 0.01,
}

#: Measures of the light, which a calibration frame has whatever it shows.
_LIGHT = ("brightness", "green_red", "blue_yellow")

#: A drift that has used up this share of the way to the limit is told, and so is one that will be
#: there within so many frames.
_SHARE_TOLD = 0.25
_FRAMES_TOLD = 1000

#: Frames that follow each other faster show the same place.
_LEAST_GAP_S = 2.0

#: Where the level has used up this share of the way from the calibration frame, it is told without
#: any drift since the watch began.
_SHARE_LEFT_OVER = 0.75


@dataclass(frozen=True, slots=True)
class DriftWarning:
    """A measure that goes towards its limit.

    Attributes:
        measure: a field of `edge.quality.Quality`.
        direction: "falling" or "rising", against the reference.
        level: where the measure is now, without the scatter of single frames.
        reference: where it was: in the calibration frame, or when the watch began.
        limit: what it goes towards.
        frames_left: about how many more frames, of those taken in, until it is there; None where
            it stands still.
        seconds_left: the same in seconds; None where the frames came without times too.
        instruction: what the one at the microscope can do, as a sentence.
    """

    measure: str
    direction: str
    level: float
    reference: float
    limit: float
    frames_left: int | None
    seconds_left: float | None
    instruction: str

    def as_json(self) -> dict[str, object]:
        """Return a dictionary that `json.dumps` takes."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __str__(self) -> str:
        left = "" if self.frames_left is None else f", in about {self.frames_left} frames"
        if self.seconds_left is not None:
            left += f" or {self.seconds_left / 60.0:.0f} minutes"
        return (
            f"{self.measure} is {self.direction}, from {self.reference:.3g} to {self.level:.3g}, "
            f"towards the limit of {self.limit:.3g}{left}. {self.instruction}."
        )


class DriftWatch:
    """Follows the measures of frame after frame; its memory does not grow.

    Single frames differ with what they show, so that a drift is looked for in medians of 16
    frames of different places, by `edge.quality.trend.Trend`. Nothing is told before 512 frames
    have been seen, but for a level that has come near its limit since the calibration frame. Start
    a new watch with each slide, whose stain may tint even its glass.

    Args:
        limits: what the measures must keep.
        calibration: of the calibration frame, which may be an empty place; None where there is
            none. Light is judged against it, focus against the watch's beginning in any case.

    Example:
        >>> watch = DriftWatch(load_limits(), assess(calibration_frame))
        >>> for frame in frames:
        ...     for warning in watch.update(assess(frame)):
        ...         print(warning)
    """

    def __init__(self, limits: QualityLimits, calibration: Quality | None = None) -> None:
        self._limits = limits
        self._calibration = calibration
        self._trends = {name: Trend(floor) for name, floor in _WATCHED.items()}
        self._started_s: float | None = None
        self._taken_s: float | None = None
        self._taken = 0
        self._warnings: dict[str, list[DriftWarning]] = {}

    def update(self, quality: Quality, captured_s: float | None = None) -> list[DriftWarning]:
        """Take in the next frame.

        Args:
            quality: of the frame, good or not.
            captured_s: when it was taken, in seconds of a clock that never goes back. Frames of a
                live camera show the same place many times over, so one that comes less than 2
                seconds after the last is passed over; None takes every frame.

        Returns:
            What is to be told now; a warning stays until the measure has come back.
        """
        if not self.is_due(captured_s):
            return self._active()
        if captured_s is not None:
            self._started_s = captured_s if self._started_s is None else self._started_s
            self._taken_s = captured_s
        self._taken += 1
        for name, trend in self._trends.items():
            # A field without edges says nothing about focus.
            if name == "sharpness" and quality.sharpness == 0.0:
                continue
            if trend.update(float(getattr(quality, name))):
                self._warnings[name] = self._judge(name, trend)
        return self._active()

    def is_due(self, captured_s: float | None) -> bool:
        """Tell whether a frame would be taken in, so that others need not be measured.

        Args:
            captured_s: when it was taken, as for `update`.
        """
        if captured_s is None or self._taken_s is None:
            return True
        return captured_s - self._taken_s >= _LEAST_GAP_S

    def _active(self) -> list[DriftWarning]:
        return [warning for warnings in self._warnings.values() for warning in warnings]

    def _seconds(self, frames: int | None) -> float | None:
        """Return how long so many more frames take, at the pace so far."""
        if frames is None or self._started_s is None or self._taken_s is None or self._taken < 2:
            return None
        return frames * (self._taken_s - self._started_s) / (self._taken - 1)

    def _judge(self, name: str, trend: Trend) -> list[DriftWarning]:
        limit = self._limits.limits.get(name)
        level, baseline = trend.level, trend.baseline
        if limit is None or level is None:
            return []
        reference, shift = baseline, 0.0
        if self._calibration is not None and name in _LIGHT:
            reference = float(getattr(self._calibration, name))
            if name != "brightness":
                shift = reference - self._limits.typical[name]
        if reference is None:
            return []
        found = []
        for sign, end, drifting in (
            (-1.0, limit.low, trend.is_falling),
            (1.0, limit.high, trend.is_rising),
        ):
            if end is None:
                continue
            end += shift
            used = _share_used(sign, reference, level, end)
            left = _frames_left(sign, level, end, trend.slope)
            soon = used >= _SHARE_TOLD or (left is not None and left <= _FRAMES_TOLD)
            if (drifting and soon) or used >= _SHARE_LEFT_OVER:
                direction = "rising" if sign > 0 else "falling"
                found.append(
                    DriftWarning(
                        measure=name,
                        direction=direction,
                        level=level,
                        reference=reference,
                        limit=end,
                        frames_left=left,
                        seconds_left=self._seconds(left),
                        instruction=INSTRUCTIONS[name][sign > 0] or "",
                    )
                )
        return found


def _share_used(sign: float, reference: float, level: float, end: float) -> float:
    """Return how much of the way from the reference to the limit is gone; 1 where none was left."""
    room = sign * (end - reference)
    return 1.0 if room <= 0.0 else sign * (level - reference) / room


def _frames_left(sign: float, level: float, end: float, slope: float) -> int | None:
    """Return the number of frames until a line from the level meets the limit, if it does."""
    if sign * slope <= 0.0:
        return None
    return max(0, round((end - level) / slope))
