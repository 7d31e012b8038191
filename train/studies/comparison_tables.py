"""What the comparisons of rows share in print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge.output import whole_file, write_json
from train.studies.chart import Series, plot_shares
from train.studies.measurement import LABORATORY_SHIFT
from train.studies.report import below_chart, rows_of, splits_of


def shown_differences(report: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """Say which rows differ from the baseline, in what, and that the others do not show it.

    Args:
        report: as `train.studies.comparison.compare_rows` returns it.
        named: what to call each difference.
    """
    said, compared = [], 0
    for split in splits_of(report):
        for row in rows_of(report, split):
            found = row.get("differences", {})
            compared += sum(key in found for key in named)
            shown = [
                f"{found[key]['verdict']} {name}"
                for key, name in named.items()
                if key in found and found[key]["verdict"] is not None
            ]
            if shown:
                said.append(f"- {row['row']}, {split} split: {'; '.join(shown)}.")
    lines = [f"Shown against {report['baseline']}, by an interval without 0:", "", *said, ""]
    others = "Every other" if said else "Every"
    return "\n".join(
        [
            *(lines if said else []),
            f"{others} interval of the {compared} differences holds 0; of {compared}, "
            f"{0.05 * compared:.1f} would be expected to leave it out by chance alone.",
        ]
    )


def write_comparison(
    folder: Path, name: str, report: Mapping[str, Any], markdown: Callable[[Mapping[str, Any]], str]
) -> None:
    """Write `NAME.md`, `NAME.json` and `NAME.png`.

    Args:
        folder: the study's folder.
        name: of the files.
        report: as `train.studies.comparison.compare_rows` returns it.
        markdown: turns the report into a document.

    Raises:
        OutputError: a file cannot be written.
    """
    with whole_file(folder / f"{name}.md") as temporary:
        temporary.write_text(markdown(report), encoding="utf-8")
    write_json(folder / f"{name}.json", report)
    names = list(dict.fromkeys(row["row"] for row in report["rows"]))
    series = []
    for colour, split in enumerate(splits_of(report)):
        figures = {row["row"]: row["figures"] for row in rows_of(report, split)}
        for hollow, title, figure in (
            (False, f"{split} split", "accuracy"),
            (True, f"{split} split, laboratory shift", LABORATORY_SHIFT),
        ):
            found = [figures.get(row, {}).get(figure) for row in names]
            series.append(Series(title, found, hollow, colour))
    plot_shares(
        folder / f"{name}.png",
        f"{report['study'].capitalize()}, {report['network']}: accuracy on {report['part']} parts",
        names,
        series,
        {},
        below_chart(report),
    )
