"""How long a study has taken, and how long it may still take."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable


class StudyClock:
    """Estimates the rest of a study by the runs that have finished, each network by itself."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, network: str, seconds: float) -> None:
        """Note how long a run took.

        Args:
            network: what was trained.
            seconds: from its first to its last.
        """
        self._seconds[network].append(seconds)

    def minutes_so_far(self) -> float:
        """Return the minutes since the study was started or gone on with."""
        return (time.monotonic() - self._started) / 60

    def minutes_left(self, networks: Iterable[str]) -> float | None:
        """Return how many minutes some runs will take; None before any has finished.

        Args:
            networks: the network of each run to come. One that has not been trained yet is taken
                to need as long as the mean of the others.
        """
        known = [seconds for row in self._seconds.values() for seconds in row]
        if not known:
            return None
        return sum(_mean(self._seconds.get(network) or known) for network in networks) / 60


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
