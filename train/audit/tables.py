"""An audit's findings as rows of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.cli.options import percent


def class_rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return for each class: name, n, formats, pixels, and median file size."""
    return [
        (
            label,
            str(one["n"]),
            _listing(one["formats"]),
            _listing(one["pixels"]),
            "–" if one["bytes"] is None else f"{one['bytes'][1] / 1000:.1f} kB",
        )
        for label, one in report["classes"].items()
    ]


def shortcut_rows(table: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return for each shortcut and classifier its accuracy with interval under each split."""
    splits = list(table["splits"].values())
    names = next((list(one["baselines"]) for one in splits if "error" not in one), [])
    return [(name, *(_accuracy(one, name) for one in splits)) for name in names]


def _accuracy(split: Mapping[str, Any], name: str) -> str:
    if "error" in split:
        return "–"
    baseline = split["baselines"][name]
    low, high = baseline["accuracy_ci95"]
    return f"{percent(baseline['accuracy'])} ({100 * low:.1f} to {100 * high:.1f})"


def _listing(counts: Mapping[str, int], shown: int = 2) -> str:
    """Name what is most frequent, and say how many other kinds there are."""
    if not counts:
        return "–"
    listed = ", ".join(list(counts)[:shown])
    rest = len(counts) - shown
    return f"{listed} and {rest} more" if rest > 0 else listed
