"""When a sensor took a frame, and how many it took since the one before."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any


def monotonic_seconds(timestamp_ns: int, monotonic_ns: int, boottime_ns: int) -> float:
    """Move a sensor's timestamp to the monotonic clock.

    libcamera documents SensorTimestamp as CLOCK_BOOTTIME, while the Raspberry Pi's drivers stamp
    buffers with CLOCK_MONOTONIC; the two differ by the time the machine was suspended. A frame
    cannot come from the future, so the clock that makes it youngest without that is the right one.

    Args:
        timestamp_ns: the timestamp in nanoseconds.
        monotonic_ns: CLOCK_MONOTONIC now, in nanoseconds.
        boottime_ns: CLOCK_BOOTTIME now, in nanoseconds.

    Returns:
        Seconds of CLOCK_MONOTONIC; that clock's now where the timestamp fits neither clock.
    """
    ages = [clock - timestamp_ns for clock in (monotonic_ns, boottime_ns)]
    age = min((age for age in ages if age >= 0), default=0)
    return (monotonic_ns - age) / 1e9


def capture_time(metadata: Mapping[str, Any]) -> float:
    """Return when a frame was captured in seconds of CLOCK_MONOTONIC; now where nothing tells."""
    timestamp_ns = metadata.get("SensorTimestamp")
    if not timestamp_ns:
        return time.monotonic()
    boottime_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return monotonic_seconds(int(timestamp_ns), time.monotonic_ns(), boottime_ns)


def frames_between(
    last: Mapping[str, Any],
    metadata: Mapping[str, Any],
    last_request: int | None,
    request: int | None,
) -> int:
    """Count the frames between one that was handed out and a later one.

    Args:
        last: the earlier frame's metadata; empty for none.
        metadata: the later one's; SensorTimestamp in nanoseconds, FrameDuration in microseconds.
        last_request: the number of the earlier frame's request, where libcamera tells it.
        request: that of the later one's.
    """
    timestamp_ns, last_ns = metadata.get("SensorTimestamp"), last.get("SensorTimestamp")
    duration_us = metadata.get("FrameDuration")
    steps: int = 1
    if timestamp_ns and last_ns and duration_us:
        steps = round((timestamp_ns - last_ns) / (1000 * duration_us))
    elif request is not None and last_request is not None:
        steps = request - last_request
    return max(steps - 1, 0)
