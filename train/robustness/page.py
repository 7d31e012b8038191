"""A study as one HTML page with its pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.cli.options import percent
from edge.labels import DISCLAIMER
from train.html_page import data_uri, write_html
from train.robustness.tables import images_line, summary_table, tolerance_table


def write_page(path: Path, report: Mapping[str, Any], curves: Path, examples: Path) -> None:
    """Write the page.

    Args:
        path: the HTML file.
        report: as `train.robustness.report.robustness_report` returns it.
        curves: PNG of `train.robustness.curves`.
        examples: PNG of `train.robustness.examples`.

    Raises:
        OutputError: the page cannot be written.
    """
    write_html(
        path,
        "train.robustness",
        "robustness.html",
        disclaimer=DISCLAIMER,
        report=report,
        images_line=images_line(report),
        summary=summary_table(report),
        tolerances=tolerance_table(report),
        severities={
            name: _severity_cells(model, report["tolerated_points"])
            for name, model in report["models"].items()
        },
        curves=data_uri(curves.read_bytes()),
        examples=data_uri(examples.read_bytes()),
    )


def _severity_cells(
    model: Mapping[str, Any], tolerated_points: float
) -> dict[str, list[dict[str, Any]]]:
    clean = {"accuracy": percent(model["clean"]["accuracy"]), "unchanged": "", "lost": False}
    return {
        name: [
            clean,
            *(
                {
                    "accuracy": percent(one["accuracy"]),
                    "unchanged": percent(one["unchanged"]),
                    "lost": one["drop_points"] > tolerated_points + 1e-7,
                }
                for one in measured["severities"]
            ),
        ]
        for name, measured in model["degradations"].items()
    }
