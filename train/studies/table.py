"""Tables in Markdown, and how figures are written in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: What stands where there is no figure.
NONE = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what stands above and below it.

    Attributes:
        title: its heading.
        header: a name for each column; the first column names the row.
        rows: of as many cells each.
        below: what it rests on, one sentence or more.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    below: str

    def markdown(self) -> str:
        """Return the table in Markdown, without a line end at the end."""
        lines = [
            f"### {self.title}",
            "",
            _line(self.header),
            _line(["---"] + ["---:"] * (len(self.header) - 1)),
            *map(_line, self.rows),
            "",
            self.below,
        ]
        return "\n".join(lines)


def share(figure: Mapping[str, Any] | None) -> str:
    """Write a share over seeds: its mean in percent, and the interval of that."""
    return _with_interval(figure, lambda value: f"{value:.2%}")


def points(figure: Mapping[str, Any] | None) -> str:
    """Write percentage points over seeds: their mean, and the interval of that."""
    return _with_interval(figure, lambda value: f"{value:.2f}")


def number(figure: Mapping[str, Any] | None) -> str:
    """Write a figure over seeds with four places: its mean, and the interval of that."""
    return _with_interval(figure, lambda value: f"{value:.4f}")


def spread(figure: Mapping[str, Any] | None) -> str:
    """Write the lowest and highest share of all seeds in percent."""
    return NONE if figure is None else f"{figure['min']:.2%} to {figure['max']:.2%}"


def difference(found: Mapping[str, Any] | None) -> str:
    """Write what `train.studies.paired.paired_difference` returns, with its sign."""
    if found is None:
        return NONE
    interval = found["points_ci95"]
    limits = "" if interval is None else f" ({interval[0]:+.2f} to {interval[1]:+.2f})"
    return f"{found['points']:+.2f}{limits}"


def _with_interval(figure: Mapping[str, Any] | None, write: Any) -> str:
    if figure is None:
        return NONE
    interval = figure["ci95"]
    limits = "" if interval is None else f" ({write(interval[0])} to {write(interval[1])})"
    return f"{write(figure['mean'])}{limits}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
