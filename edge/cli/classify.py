"""blastscope classify."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.image_paths import find_images
from edge.cli.options import (
    PATH,
    calibration_option,
    json_option,
    model_option,
    note,
    percent,
    print_json,
    progress_bar,
    say_decision,
    threads_option,
)
from edge.cli.pictures import distinct_names, write_png
from edge.labels import DISCLAIMER

if TYPE_CHECKING:
    from edge.file_classification import ClassifiedFile


@click.command(
    "classify",
    epilog="""\b
Examples:
  blastscope classify field.jpg
  blastscope classify fields/ --model fast --json > results.jsonl
  blastscope classify fields/ --model model.tflite --activation maps""",
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@calibration_option
@model_option
@threads_option
@click.option(
    "--activation",
    type=PATH,
    metavar="DIR",
    help="Write each image there as PNG, brighter where more speaks for its class.",
)
@json_option
def command(
    paths: tuple[Path, ...],
    calibration_path: Path | None,
    model_path: Path,
    threads: int | None,
    activation: Path | None,
    as_json: bool,
) -> None:
    """Classify image files, or all images inside folders.

    A model that comes along, or that `blastscope quantize` made, says when not to trust it:
    "repeat" where an image is blurred, badly lit or without white cells, and "refer" where it is
    unlike the training images, or not one class alone is likely.

    With --json, one line per image: path, label, decision (result, repeat or refer), reasons,
    instructions, likely (every class that is likely enough), scores, and timing_ms of each stage.
    An image that cannot be read gives a line with `error`, the others are still classified, and
    the exit code is 2.
    """
    from edge.activation import draw_activation
    from edge.classifier import Classifier
    from edge.file_classification import classify_files
    from edge.output import make_folder
    from edge.quality import read_calibration

    calibration = None if calibration_path is None else read_calibration(calibration_path)
    files = list(find_images(paths))
    names = distinct_names(files)
    failed = 0
    decided: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    said: dict[str, str] = {}
    bar = progress_bar("Classifying", shown=not sys.stdout.isatty())
    with (
        Classifier.load(
            model_path, threads, calibration, activation=activation is not None
        ) as classifier,
        bar as show,
    ):
        if activation is not None:
            make_folder(activation)
        width = max((len(str(file)) for file in files), default=0)
        for done, found in enumerate(classify_files(classifier, files), start=1):
            row = _row(found)
            if activation is not None and found.frame is not None and found.activation is not None:
                picture = activation / f"{names[done - 1]}.png"
                size = (classifier.model.height, classifier.model.width)
                write_png(picture, draw_activation(found.frame, found.activation, *size))
                row["activation"] = str(picture)
            failed += "error" in row
            decided.update([row["decision"]] if "decision" in row else [])
            said.update(zip(row.get("reasons", ()), row.get("instructions", ()), strict=True))
            reasons.update(row.get("reasons", ()))
            if as_json:
                print_json(row)
            else:
                click.echo(_describe(row, width))
            show(done, len(files))
    if not as_json:
        for reason, count in reasons.items():
            text = said[reason]
            named = text if text.lower().startswith(reason) else f"{reason.capitalize()}: {text}"
            note(f"{count} x {named}")
        note(", ".join(f"{count} {decision}" for decision, count in decided.items()))
        note(DISCLAIMER)
    if failed:
        note(f"{failed} of {len(files)} images could not be classified.")
        click.get_current_context().exit(2)


def _row(found: ClassifiedFile) -> dict[str, Any]:
    if found.prediction is None:
        return {"path": str(found.path), "error": str(found.error)}
    row = {"path": str(found.path), **found.prediction.as_json()}
    row["timing_ms"] = {"decode": found.decode_ms, **found.prediction.timing_ms}
    return row


def _describe(row: dict[str, Any], width: int) -> str:
    if "error" in row:
        return f"{row['path']:<{width}}  error: {row['error']}"
    scores = "  ".join(f"{label} {percent(score)}" for label, score in row["scores"].items())
    line = f"{row['path']:<{width}}  {row['label']:<8}  {scores}"
    return line + say_decision(row["decision"], row["reasons"])
