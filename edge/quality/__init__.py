"""Whether a field is fit to be classified, told before any opinion about its cells.

Example:
    >>> from edge.quality import assess, load_limits
    >>> quality = assess(frame)
    >>> for finding in load_limits().findings(quality):
    ...     print(finding.instruction)
"""

from __future__ import annotations

from edge.quality.assessment import MEASURED_SIDE, Quality, assess
from edge.quality.calibration import Calibration, measure_calibration, read_calibration
from edge.quality.drift import DriftWarning, DriftWatch
from edge.quality.limits import Finding, Limit, QualityLimits, load_limits

__all__ = [
    "MEASURED_SIDE",
    "Calibration",
    "DriftWarning",
    "DriftWatch",
    "Finding",
    "Limit",
    "Quality",
    "QualityLimits",
    "assess",
    "load_limits",
    "measure_calibration",
    "read_calibration",
]
