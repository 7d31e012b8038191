"""The tables of a study of deep features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.deep_features.classifiers import CLASSIFIERS
from train.deep_features.selection import SELECTORS
from train.splits.kinds import SplitKind
from train.studies.papers import PREANTO_ACCURACY, PREANTO_CITATION
from train.studies.report import document, rests_on, rows_of, splits_of
from train.studies.table import NONE, Table, share

_TITLE = "Deep features, selected and classified"


def summary_markdown(report: Mapping[str, Any]) -> str:
    """Return the best pipeline of each backbone under each split, and the winner, in Markdown.

    Args:
        report: as `train.studies.deep_report.deep_report` returns it.
    """
    return document(_TITLE, [*_best_tables(report), _says(report)])


def deep_markdown(report: Mapping[str, Any]) -> str:
    """Return all tables in Markdown.

    Args:
        report: as `train.studies.deep_report.deep_report` returns it.
    """
    return document(
        _TITLE,
        [
            *_best_tables(report),
            _says(report),
            *(
                _whole_table(report, split, backbone)
                for split in splits_of(report)
                for backbone in report["backbones"]
            ),
        ],
    )


def row_name(row: Mapping[str, Any]) -> str:
    """Name a selector and a classifier."""
    return f"{row['selector']}, {CLASSIFIERS[row['classifier']].title}"


def best_rows(report: Mapping[str, Any], split: str) -> list[dict[str, Any]]:
    """Return each backbone's row that inner folds think best under a split."""
    rows = rows_of(report, split)
    return [
        max(
            (row for row in rows if row["backbone"] == backbone),
            key=lambda row: row["figures"]["inner_accuracy"]["mean"],
        )
        for backbone in report["backbones"]
    ]


def _best_tables(report: Mapping[str, Any]) -> list[str]:
    return [_best_table(report, split) for split in splits_of(report)]


def _best_table(report: Mapping[str, Any], split: SplitKind) -> str:
    header = ("backbone", "paper", "accuracy", "macro F1", "inner folds", "pipeline", "features")
    rows = [
        (
            report["backbones"][row["backbone"]]["name"],
            f"{PREANTO_ACCURACY[row['backbone']]:.0%}"
            if row["backbone"] in PREANTO_ACCURACY
            else NONE,
            share(row["figures"]["accuracy"]),
            share(row["figures"]["macro_f1"]),
            share(row["figures"]["inner_accuracy"]),
            row_name(row),
            f"{row['figures']['kept']['mean']:.0f}",
        )
        for row in best_rows(report, split)
    ]
    below = (
        f"The pipeline of each backbone that inner folds of the training parts think best. Paper: "
        f"{PREANTO_CITATION}, which names one accuracy, without n or interval. "
        f"{_below(report, split)}"
    )
    return Table(f"The best of each backbone, {split} split", header, tuple(rows), below).markdown()


def _whole_table(report: Mapping[str, Any], split: SplitKind, backbone: str) -> str:
    header = ("pipeline", "accuracy", "macro F1", "inner folds", "features", "fit, seconds")
    rows = [
        (
            row_name(row),
            share(row["figures"]["accuracy"]),
            share(row["figures"]["macro_f1"]),
            share(row["figures"]["inner_accuracy"]),
            f"{row['figures']['kept']['mean']:.0f}",
            f"{row['figures']['fit_seconds']['mean']:.2f}",
        )
        for row in rows_of(report, split)
        if row["backbone"] == backbone
    ]
    name = report["backbones"][backbone]["name"]
    kinds = ", ".join(f"{one}: {text}" for one, text in SELECTORS.items())
    below = (
        f"Selectors: {kinds}. Fit: selection and classifier on one core, without extraction. "
        f"{_below(report, split)}"
    )
    return Table(f"{name}, {split} split", header, tuple(rows), below).markdown()


def _below(report: Mapping[str, Any], split: SplitKind) -> str:
    """Say what a table rests on, with what limits it and which features are no features."""
    said = []
    if report["data"]["limit"] is not None:
        said.append(f"Only {report['data']['limit']} images of each class at most.")
    random = [name for name, one in report["backbones"].items() if one["random"]]
    if random:
        said.append(f"Random features (weights of no training): {', '.join(random)}.")
    constant = {n: one["constant"] for n, one in report["backbones"].items() if one["constant"]}
    if constant:
        listed = ", ".join(f"{count} of {name}" for name, count in constant.items())
        said.append(f"Constant features left out: {listed}.")
    return " ".join([*said, rests_on(report, split)])


def _says(report: Mapping[str, Any]) -> str:
    """Say which pipeline won, and what choosing among all of them is worth."""
    winner = report["winner"]
    name = report["backbones"][winner["backbone"]]["name"]
    lines = [f"Winner by inner folds of the first split: {name}, {row_name(winner)}."]
    for split in splits_of(report):
        row = next(
            row
            for row in rows_of(report, split)
            if all(row[key] == value for key, value in winner.items())
        )
        lines.append(
            f"Under the {split} split it scores {share(row['figures']['accuracy'])}; where each "
            f"training part chooses its own pipeline, {share(report['chosen'][split])}."
        )
    return " ".join(lines)
