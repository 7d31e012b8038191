"""The folder that a study is written into."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.output import make_folder, write_json
from train.robustness.curves import plot_robustness
from train.robustness.examples import draw_examples
from train.robustness.material import Material
from train.robustness.page import write_page


def write_folder(out: Path, report: Mapping[str, Any], material: Material) -> None:
    """Write `robustness.json`, `curves.png`, `examples.png` and `index.html`.

    Args:
        out: the folder; is made with its parents.
        report: as `train.robustness.report.robustness_report` returns it.
        material: what it was measured on.

    Raises:
        OutputError: something cannot be written.
    """
    make_folder(out)
    write_json(out / "robustness.json", report)
    curves, examples = out / "curves.png", out / "examples.png"
    plot_robustness(curves, report)
    draw_examples(examples, material.images, material.targets, report["seed"])
    write_page(out / "index.html", report, curves, examples)
