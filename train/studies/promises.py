"""What blastscope promises of its networks, and whether it is kept.

Every limit stands here and nowhere else. All are for means over `PROMISED_SEEDS` on test parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from train.audit.shortcuts import CLASSIFIERS
from train.studies.measurement import LABORATORY_SHIFT
from train.studies.over_seeds import points_lost
from train.studies.report import rows_of
from train.studies.table import Table

#: The seeds and splits that the promises are for.
PROMISED_SEEDS = (0, 1, 2, 3, 4)
PROMISED_SPLITS = ("random", "grouped")

#: Where colour alone scores as much or more, no distance from it is asked for.
COLOUR_TELLS_FROM = 0.9


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure and its limit.

    Attributes:
        network: the row that it is for.
        split: under which split.
        figure: a figure's name in `train.studies.over_seeds`, or "points above SHORTCUT,
            CLASSIFIER".
        limit: what it must reach, or not pass.
        at_least: True where the limit is the lowest value, False where it is the highest.
    """

    network: str
    split: str
    figure: str
    limit: float
    at_least: bool

    @property
    def in_points(self) -> bool:
        """Whether the figure is in percentage points and not a share."""
        return "points" in self.figure


def _promises() -> tuple[Promise, ...]:
    accuracies = {
        ("mobilenet-v2", "random"): 0.997,
        ("custom-cnn", "random"): 0.993,
        ("mobilenet-v2", "grouped"): 0.995,
        ("custom-cnn", "grouped"): 0.985,
    }
    # It is for speed: nothing else is promised of it.
    promises = [Promise("fast", "random", "accuracy", 0.993, at_least=True)]
    for (network, split), accuracy in accuracies.items():
        promises.append(Promise(network, split, "accuracy", accuracy, at_least=True))
        promises.append(Promise(network, split, points_lost(LABORATORY_SHIFT), 2.0, at_least=False))
        promises += [
            Promise(network, split, f"points above colour, {classifier}", 10.0, at_least=True)
            for classifier in CLASSIFIERS
        ]
        if split == "random":
            promises.append(Promise(network, split, "ece", 0.02, at_least=False))
    return tuple(promises)


PROMISES = _promises()


def check_promises(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each promise about a row of a reproduction whether it is kept.

    Args:
        report: with `rows` and `shortcuts`, as `train.studies.reproduction` makes it.

    Returns:
        `network, split, figure, limit, at_least, measured, kept`; `kept` is None where nothing
        is asked for, since colour alone tells the class in all seeds of that split.
    """
    checked = []
    for promise in PROMISES:
        for row in rows_of(report, promise.split):
            if row["row"] != promise.network:
                continue
            measured, asked = _measured(promise, row, report["shortcuts"])
            kept = measured >= promise.limit if promise.at_least else measured <= promise.limit
            checked.append(
                {
                    "network": promise.network,
                    "split": promise.split,
                    "figure": promise.figure,
                    "limit": promise.limit,
                    "at_least": promise.at_least,
                    "measured": measured,
                    "kept": kept if asked else None,
                }
            )
    return checked


def is_complete(report: Mapping[str, Any]) -> bool:
    """Tell whether a reproduction has the seeds and splits that the promises are for."""
    return all(tuple(row["seeds"]) == PROMISED_SEEDS for row in report["rows"]) and {
        row["split"] for row in report["rows"]
    } == set(PROMISED_SPLITS)


def promise_table(report: Mapping[str, Any]) -> Table:
    """Return the table of what was promised, measured and kept."""
    units = {promise.figure: promise for promise in PROMISES}
    rows = []
    for one in report["promises"]:
        promise = units[one["figure"]]
        sign = "≥" if one["at_least"] else "≤"
        rows.append(
            (
                one["network"],
                one["split"],
                one["figure"].replace("ece", "ECE after temperature scaling"),
                f"{sign} {_write(promise, one['limit'])}",
                _write(promise, one["measured"], places=3),
                {True: "kept", False: "**not kept**", None: "not asked"}[one["kept"]],
            )
        )
    below = (
        f"Points above colour: the least over the seeds or folds in which that alone scores below "
        f"{COLOUR_TELLS_FROM:.0%}; “not asked” where it does so in none. "
        + (
            "These are the seeds and splits that the promises are for."
            if is_complete(report)
            else "The promises are for seeds 0 to 4 under both splits; here are others, so that "
            "this table decides nothing."
        )
    )
    return Table(
        "Promises",
        ("network", "split", "figure (mean over the seeds)", "promised", "measured", ""),
        tuple(rows),
        below,
    )


def _measured(
    promise: Promise, row: Mapping[str, Any], shortcuts: Mapping[str, Any]
) -> tuple[float, bool]:
    """Return a promised figure, and whether it is asked for.

    The distance from a shortcut is the least over the seeds in which that does not tell.
    """
    name = promise.figure.removeprefix("points above ")
    if name == promise.figure:
        return float(row["figures"][promise.figure]["mean"]), True
    pairs = [
        (100 * (own - alone), alone)
        for own, alone in zip(
            row["figures"]["accuracy"]["values"],
            shortcuts[promise.split][name]["values"],
            strict=True,
        )
    ]
    asked = [above for above, alone in pairs if alone < COLOUR_TELLS_FROM]
    return min(asked or [above for above, _ in pairs]), bool(asked)


def _write(promise: Promise, value: float, places: int = 2) -> str:
    if promise.in_points:
        return f"{value:.2f}"
    return f"{value:.4f}" if promise.figure == "ece" else f"{value:.{places}%}"
