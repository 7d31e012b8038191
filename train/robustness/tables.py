"""A report's figures as rows of text, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.cli.options import percent


@dataclass(frozen=True, slots=True)
class Table:
    """A heading for each column, and rows of as many cells; the first column names the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def images_line(report: Mapping[str, Any]) -> str:
    """Say in a sentence which images were tested."""
    data = report["data"]
    part = "all" if data["part"] == "all" else f"the {data['part']} part"
    sample = f", a random {data['n']} of its {data['n_in_part']}" if _is_sample(data) else ""
    return (
        f"Tested on {part} of the data{sample}: n = {data['n']}, seed {report['seed']}, "
        f"data version {data['sha256'][:12]}."
    )


def summary_table(report: Mapping[str, Any]) -> Table:
    """Return a row for each model and kind of image: accuracy, interval, loss, share unchanged."""
    rows = []
    for name, model in report["models"].items():
        rows.append((name, "as they are", *_accuracy(model["clean"]), "–", "–"))
        low, high = model["mean_corruption_accuracy_ci95"]
        mean = model["mean_corruption_accuracy"]
        lost = 100 * (model["clean"]["accuracy"] - mean)
        rows.append(
            ("", "mean corruption", f"{mean:.2%}", f"{low:.2%} to {high:.2%}", f"{lost:.2f}", "–")
        )
        for alteration, one in model["alterations"].items():
            low, high = one["drop_points_ci95"]
            rows.append(
                (
                    "",
                    alteration,
                    *_accuracy(one),
                    f"{one['drop_points']:.2f} ({low:.2f} to {high:.2f})",
                    percent(one["unchanged"]),
                )
            )
    return Table(
        ("model", "images", "accuracy", "95 % interval", "points lost", "unchanged"), tuple(rows)
    )


def severity_table(report: Mapping[str, Any], model: str) -> Table:
    """Return a model's accuracy for each degradation and severity, and how far each can go."""
    rows = []
    for name, measured in report["models"][model]["degradations"].items():
        shares = [percent(one["accuracy"]) for one in measured["severities"]]
        rows.append((name, *shares, tolerance_cell(measured["tolerance"])))
    points = f"{report['tolerated_points']:g}"
    return Table(("degradation", "1", "2", "3", "4", "5", f"{points} points lost at"), tuple(rows))


def tolerance_table(report: Mapping[str, Any]) -> Table:
    """Return how far each degradation can go, with a column for each model."""
    rows = [
        (
            name,
            parameters["parameter"],
            *(
                tolerance_cell(model["degradations"][name]["tolerance"])
                for model in report["models"].values()
            ),
        )
        for name, parameters in report["catalogue"].items()
    ]
    return Table(("degradation", "parameter", *report["models"]), tuple(rows))


def tolerance_cell(tolerance: Mapping[str, Any]) -> str:
    """Write the parameter's value and the severity, or that accuracy has not fallen so far."""
    if not tolerance["reached"]:
        return f"not at {tolerance['value']:g}"
    return f"{tolerance['value']:.3g} (severity {tolerance['severity']:.1f})"


def _accuracy(one: Mapping[str, Any]) -> tuple[str, str]:
    low, high = one["accuracy_ci95"]
    return f"{one['accuracy']:.2%}", f"{low:.2%} to {high:.2%}"


def _is_sample(data: Mapping[str, Any]) -> bool:
    return bool(data["n"] < data["n_in_part"])
