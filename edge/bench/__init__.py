"""How good and how fast models are, side by side."""

from __future__ import annotations

from edge.bench.end_to_end import EndToEnd, Timing, measure_end_to_end

__all__ = ["EndToEnd", "Timing", "measure_end_to_end"]
