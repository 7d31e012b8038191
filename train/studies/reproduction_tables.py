"""A reproduction in Markdown and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.output import whole_file, write_json
from train.splits.kinds import SplitKind
from train.studies import table
from train.studies.baselines import better_classifier, shortcut_rows
from train.studies.chart import Series, plot_shares
from train.studies.measurement import CORNER_BLANKED, CORNER_SWAPPED, LABORATORY_SHIFT
from train.studies.over_seeds import points_lost
from train.studies.promises import promise_table
from train.studies.report import below_chart, document, rests_on, rows_of, splits_of
from train.studies.table import NONE, Table

_SHORTCUTS_SAID = (
    "“Alone” rows: plain classifiers that see no cells, fitted on the same splits; of each "
    "shortcut the better of two classifiers"
)
_TITLES = {
    "random": "Random split: the paper beside ours",
    "grouped": "Grouped split: the same rows where alike images do not cross",
}


def reproduction_markdown(report: Mapping[str, Any]) -> str:
    """Return a reproduction's tables with what they rest on.

    Args:
        report: as `train.studies.reproduction.reproduce` returns it.
    """
    paper = report["paper"]
    tables = []
    for split in splits_of(report):
        tables += [_accuracy_table(report, split), _altered_table(report, split)]
    tables.append(promise_table(report))
    return document(
        f"{paper['key']}, made again",
        [
            f"{paper['citation']}. {paper['caveat']} {_trained_with(report)}",
            *(one.markdown() for one in tables),
        ],
    )


def _trained_with(report: Mapping[str, Any]) -> str:
    """Say how long each row was trained, and how its classes were balanced."""
    training = {row["row"]: row["training"] for row in report["rows"]}
    said = [
        f"{row} {one['epochs']} epochs, balancing: {one['balance']}"
        for row, one in training.items()
    ]
    return f"Trained here: {'; '.join(said)}."


def write_reproduction(folder: Path, report: Mapping[str, Any]) -> None:
    """Write `reproduction.md`, `reproduction.json` and `reproduction.png`.

    Args:
        folder: the study's folder.
        report: as `train.studies.reproduction.reproduce` returns it.

    Raises:
        OutputError: a file cannot be written.
    """
    with whole_file(folder / "reproduction.md") as temporary:
        temporary.write_text(reproduction_markdown(report), encoding="utf-8")
    write_json(folder / "reproduction.json", report)
    _plot(folder / "reproduction.png", report)


def _accuracy_table(report: Mapping[str, Any], split: SplitKind) -> Table:
    is_random = split == "random"
    rows = []
    for row in rows_of(report, split):
        figures = row["figures"]
        accuracy = report["paper"]["accuracies"].get(row["row"])
        rows.append(
            (
                row["row"],
                *([NONE if accuracy is None else f"{accuracy:.2%}"] if is_random else []),
                table.share(figures["accuracy"]),
                table.spread(figures["accuracy"]),
                table.number(figures["macro_f1"]),
                table.share(figures.get("malignant.sensitivity")),
                table.share(figures.get("malignant.specificity")),
                table.number(figures["ece"]),
            )
        )
    for name, figure in shortcut_rows(report["shortcuts"][split]).items():
        paper = [NONE] if is_random else []
        rows.append((name, *paper, table.share(figure), table.spread(figure), *[NONE] * 4))
    header = (
        "network",
        *(["paper"] if is_random else []),
        "accuracy",
        "lowest to highest seed",
        "macro F1",
        "malignant sensitivity",
        "malignant specificity",
        "ECE after temperature scaling",
    )
    return Table(_TITLES[split], header, tuple(rows), rests_on(report, split, _SHORTCUTS_SAID))


def _altered_table(report: Mapping[str, Any], split: SplitKind) -> Table:
    rows = []
    for row in rows_of(report, split):
        figures = row["figures"]
        rows.append(
            (
                row["row"],
                table.share(figures.get(LABORATORY_SHIFT)),
                table.points(figures.get(points_lost(LABORATORY_SHIFT))),
                table.share(figures["accuracy"]),
                table.share(figures.get(CORNER_BLANKED)),
                table.share(figures.get(CORNER_SWAPPED)),
            )
        )
    header = (
        "network",
        "laboratory shift",
        "points lost by it",
        "corner kept",
        "corner blanked",
        "corner swapped",
    )
    return Table(
        f"{split.capitalize()} split: accuracy on altered test images",
        header,
        tuple(rows),
        rests_on(
            report,
            split,
            "alterations drawn with each run's seed; a swapped corner is one of another class",
        ),
    )


def _plot(path: Path, report: Mapping[str, Any]) -> None:
    splits = splits_of(report)
    names = list(dict.fromkeys(row["row"] for row in report["rows"]))
    series = []
    for colour, split in enumerate(splits):
        figures = {row["row"]: row["figures"] for row in rows_of(report, split)}
        for hollow, name, figure in (
            (False, f"{split} split", "accuracy"),
            (True, f"{split} split, laboratory shift", LABORATORY_SHIFT),
        ):
            found = [figures.get(row, {}).get(figure) for row in names]
            series.append(Series(name, found, hollow, colour))
    lines = {}
    for split in splits:
        summary = report["shortcuts"][split]
        lines[f"colour alone, {split}"] = summary[better_classifier(summary, "colour")]["mean"]
    plot_shares(
        path,
        f"{report['paper']['key']}, made again: accuracy on test parts",
        names,
        series,
        lines,
        below_chart(report),
    )
