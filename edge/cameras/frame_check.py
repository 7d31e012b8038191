"""Frames that no working camera delivers: black ones, repeated ones, ones of another size."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.cameras.faults import Fault

# Pixels looked at along each side: enough to tell frames apart, in microseconds.
_SAMPLES = 64


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """From when on a frame is refused, and a camera is held to be lying.

    Attributes:
        darkest_mean: a frame whose mean over all values, of 255, is below this is black. A dark
            field of a microscope that has its lamp on is far above it.
        clipped: a frame that is at this value everywhere is overexposed. It repeats of itself,
            since a clipped pixel has no noise.
        lying_s: a camera that has delivered refused frames alone for so many seconds is lying.
        lying_frames: it has delivered at least so many of them.
    """

    darkest_mean: float = 4.0
    clipped: int = 250
    lying_s: float = 2.0
    lying_frames: int = 2


class FrameCheck:
    """Doubts the frames of a live camera.

    Of each frame a few thousand pixels are looked at. Only when they are those of the frame before
    is the whole frame compared, by checksum: the noise of a sensor never repeats exactly, though a
    strongly compressed video of a still field may come close.

    Args:
        limits: from when on a frame is refused.
    """

    def __init__(self, limits: FrameLimits | None = None) -> None:
        self._limits = limits or FrameLimits()
        self._shape: tuple[int, ...] | None = None
        self._sample: NDArray[np.uint8] | None = None
        self._checksum: int | None = None
        self._good_s = 0.0
        self._refused = 0

    def begin(self, now_s: float) -> None:
        """Take note that the camera was opened.

        What was seen before stays known: a camera that shows the same frame when it is opened
        again has not recovered, and one of another size shows another scale.

        Args:
            now_s: seconds of the monotonic clock.
        """
        self._good_s = now_s
        self._refused = 0

    def fault_of(self, pixels: NDArray[np.uint8], now_s: float) -> Fault | None:
        """Return what is wrong with a frame, or None.

        Args:
            pixels: the next frame: RGB, uint8, shape (height, width, 3), of the first one's size.
            now_s: its arrival in seconds of the monotonic clock.
        """
        fault = self._examine(pixels, now_s)
        if fault is not None:
            self._refused += 1
        return fault

    def is_lying(self, now_s: float) -> bool:
        """Tell whether refused frames have come for so long that the camera is to be reopened."""
        limits = self._limits
        return self._refused >= limits.lying_frames and now_s - self._good_s >= limits.lying_s

    def _examine(self, pixels: NDArray[np.uint8], now_s: float) -> Fault | None:
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
            return Fault.WRONG_SIZE
        if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            return Fault.WRONG_SIZE
        if self._shape is not None and pixels.shape != self._shape:
            return Fault.WRONG_SIZE
        rows, columns = (max(side // _SAMPLES, 1) for side in pixels.shape[:2])
        sample = pixels[::rows, ::columns]
        if sample.mean() < self._limits.darkest_mean:
            return Fault.BLACK
        self._shape = pixels.shape
        if self._sample is None or not np.array_equal(sample, self._sample):
            self._sample = sample.copy()
            self._checksum = None
        elif sample.min() < self._limits.clipped:
            checksum = zlib.crc32(np.ascontiguousarray(pixels).data)
            repeated = checksum == self._checksum
            self._checksum = checksum
            # The first frame of the same few pixels is let through, yet proves nothing.
            return Fault.REPEATED if repeated else None
        self._good_s = now_s
        self._refused = 0
        return None
