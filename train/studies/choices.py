"""Lists as the command line has them, taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from edge.errors import TrainingError

#: Most runs of one row and split; a longer range is more likely a slip of the hand.
MOST_SEEDS = 100

#: Keras takes no larger seed.
_HIGHEST_SEED = 2**32 - 1

_Name = TypeVar("_Name", bound=str)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that a text such as "0-4" or "0,2,7-9" names, each once, in order.

    Raises:
        TrainingError: the text is no such list, or names too many or too large a seed.
    """
    seeds: set[int] = set()
    for item in text.split(","):
        first, dash, last = item.strip().partition("-")
        limits = [first, last] if dash else [first, first]
        if not all(limit.isascii() and limit.isdigit() for limit in limits):
            raise _no_seeds(text)
        low, high = map(int, limits)
        if not low <= high <= _HIGHEST_SEED or high - low >= MOST_SEEDS:
            raise _no_seeds(text)
        seeds.update(range(low, high + 1))
    if len(seeds) > MOST_SEEDS:
        raise _no_seeds(text)
    return tuple(sorted(seeds))


def parse_names(text: str, known: Iterable[_Name], what: str) -> tuple[_Name, ...]:
    """Return the names in a list with commas, each once, in the order in which they are known.

    Args:
        text: such as "random,grouped".
        known: the names that there are.
        what: what they name, in the plural, for the error.

    Raises:
        TrainingError: a name is unknown.
    """
    known = tuple(known)
    given = [name.strip() for name in text.split(",")]
    if unknown := [name for name in given if name not in known]:
        raise TrainingError(
            f"The {what} are {', '.join(known)}",
            got=", ".join(unknown) or "nothing",
            next_step="Choose among them, with commas between",
        )
    return tuple(name for name in known if name in given)


def format_seeds(seeds: Iterable[int]) -> str:
    """Write seeds as a person would say them: "0 to 4", or "0, 2 and 7"."""
    seeds = list(seeds)
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    *first, last = map(str, seeds)
    return f"{', '.join(first)} and {last}" if first else last


def _no_seeds(text: str) -> TrainingError:
    return TrainingError(
        f"Seeds are whole numbers from 0 to {_HIGHEST_SEED}, {MOST_SEEDS} at most, as 0-4 or 0,2,7",
        got=text or "nothing",
        next_step="Give --seeds 0-4",
    )
