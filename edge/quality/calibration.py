"""The calibration frame: an empty place, measured once, that light is judged against later."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import CalibrationError
from edge.image_file import is_image_name, read_image
from edge.output import write_json
from edge.quality.assessment import MEASURES, Quality, assess
from edge.quality.limits import QualityLimits, load_limits

_FORMAT = 1

#: Share of an empty place that may be white: where it is burnt out, the colour of light is lost.
_MOST_CLIPPED = 0.5

_MEASURE_AGAIN = "Measure an empty place again with `blastscope calibrate`"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the light of a microscope was when somebody looked after it.

    Attributes:
        quality: median of each measure over the frames.
        frames: how many there were.
        camera: which one took them.
        measured_at: wall-clock time in UTC, ISO 8601; on a Pi without a network it may be wrong.
    """

    quality: Quality
    frames: int
    camera: str
    measured_at: str

    def write(self, path: Path) -> None:
        """Keep it in a file; one that is there is replaced in one step.

        Raises:
            OutputError: the file cannot be written.
        """
        write_json(path, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return a dictionary that `json.dumps` takes."""
        return {
            "format": _FORMAT,
            "camera": self.camera,
            "measured_at": self.measured_at,
            "frames": self.frames,
            "measures": self.quality.as_json(),
        }


def measure_calibration(
    frames: Sequence[NDArray[np.uint8]],
    camera: str,
    measured_at: str,
    limits: QualityLimits | None = None,
) -> Calibration:
    """Measure an empty place.

    Args:
        frames: of one empty place, in focus or not, one or more; each RGB, uint8, shape
            (height, width, 3).
        camera: which one took them.
        measured_at: wall-clock time in UTC, ISO 8601.
        limits: what the light must keep; None for those that come with blastscope.

    Raises:
        CalibrationError: the place is not empty, or its light is not fit to begin with.
        FrameError: a frame is not RGB uint8.
    """
    measured = [assess(frame) for frame in frames]
    quality = Quality(
        **{name: float(median(getattr(one, name) for one in measured)) for name in MEASURES}
    )
    _check(quality, load_limits() if limits is None else limits)
    return Calibration(quality, len(measured), camera, measured_at)


def read_calibration(path: Path) -> Quality:
    """Read a calibration frame's measures.

    Args:
        path: what `blastscope calibrate` wrote, or an image of an empty place.

    Raises:
        CalibrationError: the file keeps no calibration.
        ImageFileError: the image cannot be read.
    """
    if is_image_name(path):
        return assess(read_image(path))
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != _FORMAT:
            raise ValueError(f"format {value['format']!r}")
        measures = {name: _number(value["measures"][name]) for name in MEASURES}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CalibrationError(
            f"A calibration is an image of an empty place or what `blastscope calibrate` wrote, "
            f"as {path} should be",
            got=f"{type(error).__name__}: {error}",
            next_step=_MEASURE_AGAIN,
        ) from error
    return Quality(**measures)


def _check(quality: Quality, limits: QualityLimits) -> None:
    """Refuse a place with cells, and light that later frames must not be held against."""
    light = limits.limits.get("brightness")
    # What a good field has at the least of both, an empty place has not.
    for name, found in (
        ("white_cells", f"{quality.white_cells:.1%} of it white cells"),
        ("contrast", f"its darkest parts {quality.contrast:.0f} steps darker than the glass"),
    ):
        limit = limits.limits.get(name)
        if limit is None or limit.low is None or getattr(quality, name) < limit.low:
            continue
        raise CalibrationError(
            "A calibration frame shows an empty place",
            got=found,
            next_step="Move to where the slide holds nothing",
        )
    if light is not None and light.broken_by(quality.brightness) is not None:
        raise CalibrationError(
            "A calibration frame is as bright as good fields are",
            got=f"lightness {quality.brightness:.0f} of 255",
            next_step="Turn the lamp up or expose longer, and measure again",
        )
    if quality.clipped_white > _MOST_CLIPPED:
        raise CalibrationError(
            "A calibration frame is not burnt out, since white has no colour to measure",
            got=f"{quality.clipped_white:.0%} of it white, of which {_MOST_CLIPPED:.0%} may be",
            next_step="Turn the lamp down or expose shorter, and measure again",
        )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r}, which is no number")
    return float(value)
