"""Between which limits each measure of a good field lies, and what to do where one does not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from edge.errors import QualityLimitsError
from edge.quality.assessment import MEASURES, Quality
from edge.quality.instructions import INSTRUCTIONS

#: The limits that come with blastscope.
_DEFAULT = Path(__file__).with_name("limits.json")

#: Measures of the glass's colour, judged against the calibration frame's where there is one.
_COLOUR = ("green_red", "blue_yellow")

_SIDES = ("lowest", "highest")

_NEXT_STEP = "Fit the limits again with `python -m train.quality DATA --out FILE`"


@dataclass(frozen=True, slots=True)
class Limit:
    """The range of one measure in a good field.

    Attributes:
        low: the least; None for no such limit.
        high: the most; None for no such limit.
    """

    low: float | None = None
    high: float | None = None

    def broken_by(self, value: float) -> float | None:
        """Return the limit that a value is beyond, None if it is within both."""
        if self.low is not None and value < self.low:
            return self.low
        if self.high is not None and value > self.high:
            return self.high
        return None


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to take a field again.

    Attributes:
        measure: a field of `edge.quality.Quality`.
        value: what was measured, in that field's unit.
        limit: what it is beyond.
        instruction: what the one at the microscope can do, as a sentence.
    """

    measure: str
    value: float
    limit: float
    instruction: str

    @property
    def reason(self) -> str:
        """What is wrong, in a few words: the instruction up to its colon."""
        said = self.instruction.partition(":")[0]
        return said[0].lower() + said[1:]

    def as_json(self) -> dict[str, object]:
        """Return a dictionary that `json.dumps` takes."""
        return {
            "measure": self.measure,
            "value": self.value,
            "limit": self.limit,
            "instruction": self.instruction,
        }


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a field must keep to be classified.

    Attributes:
        limits: the range of each measure that is judged, by the measure's name.
        typical: the median of each measure in good fields.
        provenance: what the limits were fitted on.
    """

    limits: Mapping[str, Limit]
    typical: Mapping[str, float]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def findings(self, quality: Quality, calibration: Quality | None = None) -> list[Finding]:
        """Return the reasons to take a field again; none if it is good.

        Args:
            quality: of the field.
            calibration: of the microscope's calibration frame, which may be an empty place. The
                colour of its glass then stands in for the typical one of the limits' own data.
        """
        found = []
        for measure in MEASURES:
            limit = self.limits.get(measure)
            value = float(getattr(quality, measure))
            if limit is None or (measure == "cell_size" and value == 0.0):
                continue
            shift = 0.0
            if calibration is not None and measure in _COLOUR:
                shift = float(getattr(calibration, measure)) - self.typical[measure]
            broken = limit.broken_by(value - shift)
            if broken is None:
                continue
            instruction = INSTRUCTIONS[measure][value - shift > broken]
            if instruction is not None:
                found.append(Finding(measure, value, broken + shift, instruction))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return a dictionary that `json.dumps` takes and `from_json` reads."""
        return {
            "limits": {name: [limit.low, limit.high] for name, limit in self.limits.items()},
            "typical": dict(self.typical),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, value: Any, source: str) -> QualityLimits:
        """Read limits from what `as_json` wrote.

        Args:
            value: as `json.loads` returns it.
            source: what to call it in an error.

        Raises:
            QualityLimitsError: something is missing, unknown or no number.
        """
        try:
            limits = {name: _limit(name, pair) for name, pair in value["limits"].items()}
            typical = {name: _number(value["typical"][name]) for name in _COLOUR}
            typical |= {name: _number(one) for name, one in value["typical"].items()}
            provenance = dict(value["provenance"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise QualityLimitsError(
                f"Quality limits give a lowest and a highest value of known measures, in {source}",
                got=f"{type(error).__name__}: {error}",
                next_step=_NEXT_STEP,
            ) from error
        return cls(limits, typical, provenance)


def load_limits(path: Path | None = None) -> QualityLimits:
    """Read quality limits from a file.

    Args:
        path: a JSON file as `python -m train.quality` writes it; None for the limits that come with
            blastscope.

    Raises:
        QualityLimitsError: the file cannot be read, or holds something else.
    """
    return _load_default() if path is None else _load(path)


@cache
def _load_default() -> QualityLimits:
    return _load(_DEFAULT)


def _load(path: Path) -> QualityLimits:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise QualityLimitsError(
            f"Quality limits are a JSON file, as {path} should be",
            got=f"{type(error).__name__}: {error}",
            next_step=_NEXT_STEP,
        ) from error
    return QualityLimits.from_json(value, str(path))


def _limit(name: str, pair: Any) -> Limit:
    if name not in MEASURES:
        raise ValueError(f"{name!r}, which is no measure")
    low, high = (None if value is None else _number(value) for value in pair)
    if low is not None and high is not None and low > high:
        raise ValueError(f"{name} from {low:g} to {high:g}, which is empty")
    for value, instruction, side in zip((low, high), INSTRUCTIONS[name], _SIDES, strict=True):
        if value is not None and instruction is None:
            raise ValueError(f"a {side} value of {name}, which has none")
    return Limit(low, high)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r}, which is no number")
    return float(value)
