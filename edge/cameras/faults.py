"""What goes wrong with a camera."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """How a camera fails."""

    ABSENT = "absent"
    """It could not be opened."""
    SILENT = "silent"
    """No frame came within the time."""
    HUNG = "hung"
    """A call into its driver did not come back."""
    FAILED = "failed"
    """Its driver reported an error, as for one that was unplugged."""
    BLACK = "black"
    """Its frames are black."""
    REPEATED = "repeated"
    """Its frames are one frame, again and again."""
    WRONG_SIZE = "wrong-size"
    """Its frames are not of the size that it began with, or not RGB at all."""
