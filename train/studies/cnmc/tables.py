"""A C-NMC study in Markdown and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.output import whole_file, write_json
from train.splits.kinds import CAVEATS
from train.studies import table
from train.studies.chart import Series, plot_shares
from train.studies.choices import format_seeds
from train.studies.cnmc.cell_scores import FLOAT
from train.studies.cnmc.size import SIZE
from train.studies.report import document
from train.studies.table import NONE, Table

#: Each figure by its place in a report, and what the table calls it.
FIGURES = {
    "weighted_f1": "weighted F1, the challenge's figure",
    "accuracy": "accuracy",
    "malignant.sensitivity": "sensitivity for all",
    "malignant.specificity": "specificity (hem)",
    "auroc": "AUROC",
    "ece": "ECE",
}

#: Those that are not shares.
_NUMBERS = ("weighted_f1", "auroc", "ece")

_CITATION = (
    "Gupta & Gupta, C-NMC 2019, TCIA, DOI 10.7937/tcia.2019.dc64i46r: single white cells on black, "
    "all (leukemic) against hem (healthy). The challenge counts weighted F1 on unseen subjects; "
    "its winner, with the whole training set of 10,661 cells, had 0.925 in the preliminary and "
    "0.910 in the final phase."
)


def cells_markdown(report: Mapping[str, Any]) -> str:
    """Return a study's tables with what they rest on.

    Args:
        report: as `train.studies.cnmc.reproduction.reproduce_cells` returns it.
    """
    training = report["training"]
    trained = (
        f"Trained here: {training['network']}, {training['side']} x {training['side']} pixels, "
        f"{training['epochs']} epochs."
    )
    paragraphs = [
        f"{_CITATION} {trained}",
        _figure_table(report).markdown(),
        _subject_table(report).markdown(),
    ]
    if notes := _quantized(report):
        paragraphs.append(notes)
    return document("C-NMC 2019: random splits beside unseen subjects", paragraphs)


def write_cells(folder: Path, report: Mapping[str, Any]) -> None:
    """Write `reproduction.md`, `reproduction.json` and `reproduction.png`.

    Args:
        folder: the study's folder.
        report: as `train.studies.cnmc.reproduction.reproduce_cells` returns it.

    Raises:
        OutputError: a file cannot be written.
    """
    with whole_file(folder / "reproduction.md") as temporary:
        temporary.write_text(cells_markdown(report), encoding="utf-8")
    write_json(folder / "reproduction.json", report)
    _plot(folder / "reproduction.png", report)


def _precisions(report: Mapping[str, Any]) -> list[str]:
    """Return float, the other precisions and the size alone, in this order."""
    names = list(report["unseen"]["report"])
    return [FLOAT, *(name for name in names if name not in (FLOAT, SIZE)), SIZE]


def _figure_table(report: Mapping[str, Any]) -> Table:
    names = _precisions(report)
    rows = []
    for place, title in FIGURES.items():
        write = table.number if place in _NUMBERS else table.share
        cells = [write(report["random"]["figures"][name].get(place)) for name in names]
        cells += [write(_pooled(report["unseen"]["report"][name], place)) for name in names]
        rows.append((title, *cells))
    agreements = [report["random"]["agreement"].get(name) for name in names]
    pooled = [report["unseen"]["agreement"].get(name) for name in names]
    rows.append(
        (
            "same class as float",
            *map(table.share, agreements),
            *(NONE if share is None else f"{share:.2%}" for share in pooled),
        )
    )
    header = (
        "figure",
        *(f"random, {name}" for name in names),
        *(f"unseen subjects, {name}" for name in names),
    )
    return Table("Random splits beside unseen subjects", header, tuple(rows), _below(report))


def _below(report: Mapping[str, Any]) -> str:
    data, seeds, folds = report["data"], report["seeds"], report["folds"]
    healthy, leukemic = data["subjects"]["hem"], data["subjects"]["all"]
    version = f"blastscope {report['blastscope']}"
    if report["trained_with"] != [report["blastscope"]]:
        version += f" (runs trained with {', '.join(report['trained_with'])})"
    low, high = min(report["random"]["n"]), max(report["random"]["n"])
    n = str(low) if low == high else f"{low} to {high}"
    several = (
        "means over seeds with Student's 95 % t interval, which tells nothing of other subjects"
        if len(seeds) > 1
        else "one seed, so no interval over seeds"
    )
    return (
        f"Data: {data['name']}, version {data['sha256'][:12]}, {data['n']:,} cells of {leukemic} "
        f"leukemic and {healthy} healthy subjects. Random: {CAVEATS['random']}, and "
        f"here they are; seeds {format_seeds(seeds)}, n = {n} test cells for each; "
        f"{several}. Unseen subjects: {CAVEATS['unseen-subjects']}; {folds} folds, each with a "
        f"healthy subject in its test part, n = {report['unseen']['n']:,} cells, each scored once; "
        f"95 % intervals by bootstrap over subjects within each class (Wilson's over cells are "
        f"narrower, and wrong here); {healthy} healthy subjects say little of other healthy "
        f"people. “{SIZE}”: logistic regression on the cell's area, fitted on the same splits. "
        f"{version}. Printed again by `{report['command']}`."
    )


def _pooled(report: Mapping[str, Any], place: str) -> dict[str, Any] | None:
    """Return a figure with its interval by subject, as tables and pictures take it."""
    section, _, name = place.rpartition(".")
    found = report[section] if section else report
    if found is None or found.get(name) is None:
        return None
    interval = found.get(f"{name}_group_ci95", found.get(f"{name}_ci95"))
    return {"mean": found[name], "ci95": interval}


def _subject_table(report: Mapping[str, Any]) -> Table:
    names = _precisions(report)
    by_name = report["unseen"]["subjects"]
    rows = []
    for index, one in enumerate(by_name[FLOAT]):
        cells = [_subject(by_name[name][index]) for name in names]
        rows.append((one["subject"], one["label"], str(one["n"]), *map(table.share, cells)))
    return Table(
        "Subject by subject, each scored by the network that has not seen it",
        ("subject", "class", "cells", *(f"right, {name}" for name in names)),
        tuple(rows),
        "Wilson's 95 % intervals, of the subject's cells alone.",
    )


def _subject(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"mean": row["accuracy"], "ci95": row["accuracy_ci95"]}


def _quantized(report: Mapping[str, Any]) -> str:
    lines = [
        f"- {one['precision']}, {one['split']} {one['run']}: {one['note'] or NONE}"
        for one in report["quantized"]
    ]
    return "\n".join(["How each network was quantized:", "", *lines]) if lines else ""


def _plot(path: Path, report: Mapping[str, Any]) -> None:
    names = [name for name in _precisions(report) if name != SIZE]
    by_name = report["unseen"]["subjects"]
    rows = [f"{one['subject']}, {one['label']}" for one in by_name[FLOAT]]
    series = [
        Series(f"unseen subjects, {name}", _of_subjects(by_name[name]), hollow=number > 0)
        for number, name in enumerate(names)
    ]
    found = report["random"]["figures"][FLOAT]["accuracy"]["mean"]
    pooled = report["unseen"]["report"]
    lines = {
        "all cells, random splits": found,
        "all cells, unseen subjects": pooled[FLOAT]["accuracy"],
        f"{SIZE}, unseen subjects": pooled[SIZE]["accuracy"],
    }
    data = report["data"]
    plot_shares(
        path,
        "C-NMC 2019: cells classified rightly, subject by subject",
        rows,
        series,
        lines,
        f"{data['name']}, version {data['sha256'][:12]}; Wilson's 95 % intervals over cells",
    )


def _of_subjects(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_subject(row) for row in rows]
