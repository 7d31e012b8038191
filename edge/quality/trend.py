"""A drift in a stream of numbers that scatter."""

from __future__ import annotations

from collections import deque
from itertools import combinations
from statistics import median

#: Frames whose median is one point of the trend.
BLOCK = 16

#: Points from which the undisturbed level and its scatter are learned.
_LEARNING = 32

#: Points that are kept: the present slope is told from them, and their latest make the level.
_WINDOW = 32
_LATEST = 8

#: The cumulative sum's allowance and decision interval in standard deviations of a point. With
#: these, Siegmund's approximation (Montgomery, "Introduction to Statistical Quality Control", on
#: the average run length of a cusum) gives more than a billion points between false alarms, so
#: that enough is left where the scatter was learned too small.
_ALLOWANCE = 1.0
_INTERVAL = 10.0

#: A point counts for no more than this, so that one odd smear is no drift.
_MOST = 3.0

#: From a median absolute deviation to a normal distribution's standard deviation.
_MAD_TO_SD = 1.4826

#: How much less the median of BLOCK independent normal values scatters than one of them.
_MEDIAN_GAIN = (2.0 * BLOCK / 3.141592653589793) ** 0.5


class Trend:
    """Tells a lasting change from scatter, by a two-sided cumulative sum over medians.

    The cumulative sum is Page's ("Continuous Inspection Schemes", Biometrika 41, 1954); the slope
    is the median of all slopes between two points (Sen, "Estimates of the Regression Coefficient
    Based on Kendall's Tau", JASA 63, 1968). Memory is bounded: 16 frames and 32 medians.

    Args:
        least_spread: the least standard deviation of a point that is believed, above 0.

    Attributes:
        baseline: the level that was learned; None until 512 frames have been seen.
        level: the median of the latest 128 frames' points; None until there are as many.
        slope: present change per frame, robust against outliers; 0 until there is a baseline.
    """

    def __init__(self, least_spread: float) -> None:
        self.baseline: float | None = None
        self.level: float | None = None
        self.slope = 0.0
        self._spread = least_spread
        self._block: list[float] = []
        self._within: list[float] = []
        self._points: deque[float] = deque(maxlen=_WINDOW)
        self._sums = [0.0, 0.0]

    @property
    def is_falling(self) -> bool:
        """Whether the level has fallen by more than scatter explains."""
        return self._sums[0] >= _INTERVAL

    @property
    def is_rising(self) -> bool:
        """Whether the level has risen by more than scatter explains."""
        return self._sums[1] >= _INTERVAL

    def update(self, value: float) -> bool:
        """Take in the next frame's value, and tell whether anything is known anew."""
        self._block.append(value)
        if len(self._block) < BLOCK:
            return False
        point = median(self._block)
        self._points.append(point)
        if len(self._points) >= _LATEST:
            self.level = median(list(self._points)[-_LATEST:])
        if self.baseline is None:
            self._within.append(_spread(self._block))
            if len(self._points) == _LEARNING:
                self._learn()
        else:
            self._follow(point, self.baseline)
        self._block.clear()
        return True

    def _learn(self) -> None:
        """Fix the baseline and the scatter of points: within blocks, between them, or the least."""
        self.baseline = median(self._points)
        within = median(self._within) / _MEDIAN_GAIN
        self._spread = max(self._spread, within, _spread(list(self._points)))
        self._within.clear()

    def _follow(self, point: float, baseline: float) -> None:
        places = list(enumerate(self._points))
        slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(places, 2)]
        slope = median(slopes)
        self.slope = slope / BLOCK
        # Scatter may have been learned from fields that happened to be alike.
        spread = max(self._spread, _spread([value - slope * place for place, value in places]))
        step = max(-_MOST, min(_MOST, (point - baseline) / spread))
        for index, away in enumerate((-step, step)):
            # No higher than twice the interval, so that a warning ends soon after its cause.
            total = self._sums[index] + away - _ALLOWANCE
            self._sums[index] = min(max(total, 0.0), 2.0 * _INTERVAL)


def _spread(values: list[float]) -> float:
    """Return the standard deviation that the median absolute deviation stands for."""
    middle = median(values)
    return _MAD_TO_SD * median([abs(value - middle) for value in values])
