"""A report's figures as rows of text, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.cli.options import percent

Rows = list[tuple[str, ...]]


def headline_rows(report: Mapping[str, Any]) -> Rows:
    """Return figure, value and interval; with an interval by groups where the report has them.

    Args:
        report: as `train.evaluation.metrics.classification_report` returns it.
    """
    malignant = report["malignant"] or {}
    places: list[tuple[str, Mapping[str, Any], str, bool]] = [
        ("accuracy", report, "accuracy", True),
        ("macro F1", report, "macro_f1", False),
        ("weighted F1", report, "weighted_f1", False),
        ("AUROC, mean of one against the rest", report, "auroc", False),
        ("Brier score (0 to 2, lower is better)", report, "brier", False),
        ("expected calibration error, 15 bins", report, "ece", False),
    ]
    if malignant:
        places += [
            ("malignant: sensitivity", malignant, "sensitivity", True),
            ("malignant: specificity", malignant, "specificity", True),
            ("malignant: AUROC", malignant, "auroc", False),
        ]
    rows: Rows = []
    for name, place, key, is_share in places:
        value = _percent2(place[key]) if is_share else _decimal(place[key])
        by_image, by_group = place[f"{key}_ci95"], place.get(f"{key}_group_ci95")
        if report["intervals"]["groups"] is None:
            rows.append((name, value, interval(by_image, is_share)))
        elif is_share:
            rows.append((name, value, interval(by_image, True), interval(by_group, True)))
        else:
            rows.append((name, value, "–", interval(by_image, False)))
    return rows


def headline_header(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the headings of `headline_rows`."""
    if report["intervals"]["groups"] is None:
        return ("figure", "value", "95 % interval")
    return ("figure", "value", "95 % by image", f"95 % by {report['intervals']['groups']} groups")


def class_rows(report: Mapping[str, Any]) -> Rows:
    """Return class, n, sensitivity and specificity with intervals, precision and F1."""
    return [
        (
            label,
            str(figures["n"]),
            percent(figures["sensitivity"]),
            interval(figures["sensitivity_ci95"], True),
            percent(figures["specificity"]),
            interval(figures["specificity_ci95"], True),
            percent(figures["precision"]),
            percent(figures["f1"]),
        )
        for label, figures in report["per_class"].items()
    ]


#: The headings of `class_rows`.
CLASS_HEADER = (
    "class",
    "n",
    "sensitivity",
    "95 % interval",
    "specificity",
    "95 % interval",
    "precision",
    "F1",
)


def activation_rows(energy: Mapping[str, Any]) -> Rows:
    """Return place, share of activation, share of area and their ratio, with intervals.

    Args:
        energy: as `train.evaluation.activation_energy.activation_energy` returns it.
    """
    return [
        (
            name,
            str(energy[key]["n"]),
            percent(energy[key]["share"]),
            interval(energy[key]["share_ci95"], True),
            percent(energy[key]["area"]),
            _decimal(energy[key]["concentration"], 2),
            interval(energy[key]["concentration_ci95"], False, 2),
        )
        for name, key in (("white cells", "white_cells"), ("scale bar's corner", "corner"))
    ]


#: The headings of `activation_rows`.
ACTIVATION_HEADER = (
    "class activation on",
    "n",
    "share",
    "95 % interval",
    "area",
    "share / area",
    "95 % interval",
)


def interval(limits: Sequence[float] | None, is_share: bool, digits: int = 4) -> str:
    """Write an interval as "a to b", shares as percentages; a dash where there is none."""
    if limits is None:
        return "–"
    low, high = limits
    if is_share:
        return f"{100 * low:.1f} to {100 * high:.1f} %"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _percent2(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _decimal(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
