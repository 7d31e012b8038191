"""How long to wait before a camera that failed is opened again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits that grow from try to try, so that a camera that stays away costs next to nothing.

    The longest wait is also the longest that a technician who has plugged a camera in again
    looks at nothing.

    Attributes:
        first_s: the wait before the first try, in seconds.
        factor: how many times longer each further wait is.
        longest_s: no wait is longer, in seconds.
    """

    first_s: float = 0.25
    factor: float = 2.0
    longest_s: float = 8.0

    def wait_s(self, tries: int) -> float:
        """Return the seconds to wait after so many tries that failed, 0 for the first wait."""
        # A camera may stay away for days: the power would grow beyond what a float holds.
        return min(self.first_s * self.factor ** min(tries, 32), self.longest_s)
