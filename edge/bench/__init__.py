"""How good and how fast models are, side by side."""

from __future__ import annotations

from edge.bench.ratio import BenchResult, Timing, bench

__all__ = ["BenchResult", "Timing", "bench"]
