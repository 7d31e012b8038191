"""An evaluation as one HTML page with its pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.labels import DISCLAIMER
from train.evaluation import tables
from train.html_page import data_uri, write_html


def write_page(
    path: Path,
    report: Mapping[str, Any],
    model: str,
    origin: Mapping[str, Any],
    pictures: Mapping[str, Path],
    counts: Mapping[str, int],
) -> None:
    """Write the page.

    Args:
        path: the HTML file.
        report: as `train.evaluation.evaluate` returns it, with `class_activation` where that was
            worked out.
        model: what to call the model.
        origin: what its file tells of its training.
        pictures: PNG files under `confusion`, `reliability`, and, where there are such, `mistakes`
            and `activation`.
        counts: of images under `mistakes`, `mistakes_shown` and `activation_shown`.

    Raises:
        OutputError: the page cannot be written.
    """
    energy = report.get("class_activation")
    write_html(
        path,
        "train.evaluation",
        "evaluation.html",
        disclaimer=DISCLAIMER,
        report=report,
        model=model,
        origin={key: _words(value) for key, value in origin.items() if value is not None},
        calibration=origin.get("calibration"),
        headline=(tables.headline_header(report), tables.headline_rows(report)),
        classes=(tables.CLASS_HEADER, tables.class_rows(report)),
        energy=energy,
        activation=None
        if energy is None
        else (
            tables.ACTIVATION_HEADER,
            tables.activation_rows(energy),
        ),
        pictures={name: data_uri(picture.read_bytes()) for name, picture in pictures.items()},
        counts=counts,
    )


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
