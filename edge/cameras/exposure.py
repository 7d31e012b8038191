"""Exposure, gain and white balance: measured once on an empty field, and then kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.errors import CameraError

# Automatic exposure has settled when so many frames in a row differ by no more than this share;
# at 30 frames a second it has three seconds for it.
_SETTLED_FRAMES = 8
_SETTLED_SHARE = 0.02
_MOST_FRAMES = 90
_WAIT_S = 3.0

_NEEDED = ("AeEnable", "AwbEnable", "ExposureTime", "AnalogueGain", "ColourGains")


@dataclass(frozen=True, slots=True)
class Exposure:
    """How a camera exposes.

    Attributes:
        exposure_us: exposure time in microseconds.
        analogue_gain: the sensor's gain, 1 for none.
        colour_gains: white balance, the gains of red and of blue.
    """

    exposure_us: int
    analogue_gain: float
    colour_gains: tuple[float, float]

    def controls(self) -> dict[str, Any]:
        """Return the controls of libcamera that keep it."""
        return {
            "AeEnable": False,
            "AwbEnable": False,
            "ExposureTime": self.exposure_us,
            "AnalogueGain": self.analogue_gain,
            "ColourGains": self.colour_gains,
        }


@dataclass
class ExposureLock:
    """Keeps one exposure for all openings of a camera.

    Attributes:
        exposure: what is kept; None until it was measured.
    """

    exposure: Exposure | None = None


def measure_exposure(device: Any, name: str) -> Exposure:
    """Let a camera expose by itself until it no longer changes, and return how it does.

    Args:
        device: a running camera of picamera2.
        name: what to call it in an error.

    Raises:
        CameraError: the camera has not these controls, or does not settle.
        TimeoutError: no frame came.
    """
    absent = [control for control in _NEEDED if control not in device.camera_controls]
    if absent:
        raise CameraError(
            "A camera whose exposure is locked can set exposure, gain and white balance",
            got=f"{name}, without {', '.join(absent)}",
            next_step="Use it without locking the exposure",
        )
    last: deque[tuple[float, ...]] = deque(maxlen=_SETTLED_FRAMES)
    for _ in range(_MOST_FRAMES):
        last.append(_values(device.capture_metadata(wait=_WAIT_S)))
        if len(last) == _SETTLED_FRAMES and _is_settled(last):
            exposure_us, gain, red, blue = last[-1]
            return Exposure(round(exposure_us), gain, (red, blue))
    raise CameraError(
        "Automatic exposure settles within a few seconds",
        got=f"{name}, which still changed after {_MOST_FRAMES} frames",
        next_step="Show it an empty field that does not move, with the lamp on",
    )


def _values(metadata: Mapping[str, Any]) -> tuple[float, ...]:
    red, blue = metadata.get("ColourGains", (1.0, 1.0))
    exposure_us, gain = metadata.get("ExposureTime", 0), metadata.get("AnalogueGain", 1.0)
    return (float(exposure_us), float(gain), float(red), float(blue))


def _is_settled(frames: deque[tuple[float, ...]]) -> bool:
    return all(
        max(values) - min(values) <= _SETTLED_SHARE * max(values)
        for values in zip(*frames, strict=True)
    )
