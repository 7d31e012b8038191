"""blastscope classify."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from edge.cli.options import (
    PATH,
    json_option,
    model_option,
    note,
    percent,
    print_json,
    progress_bar,
    threads_option,
)
from edge.errors import FrameError, ImageFileError
from edge.labels import DISCLAIMER


@click.command(
    "classify",
    epilog="""\b
Examples:
  blastscope classify field.jpg
  blastscope classify fields/ --model fast --json > results.jsonl
  blastscope classify fields/ --model model.tflite""",
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@model_option
@threads_option
@json_option
def command(paths: tuple[Path, ...], model_path: Path, threads: int | None, as_json: bool) -> None:
    """Classify image files, or all images inside folders.

    With --json, one line per image: path, label, scores, and timing_ms for decode, preprocess and
    invoke. An image that cannot be read gives a line with `error`, the others are still
    classified, and the exit code is 2.
    """
    from edge.classifier import Classifier
    from edge.cli.image_paths import find_images

    files = list(find_images(paths))
    failed = 0
    bar = progress_bar("Classifying", shown=not sys.stdout.isatty())
    with Classifier.load(model_path, threads) as classifier, bar as show:
        width = max((len(str(file)) for file in files), default=0)
        for done, file in enumerate(files, start=1):
            row = _classify(file, classifier)
            failed += "error" in row
            if as_json:
                print_json(row)
            else:
                click.echo(_describe(row, width))
            show(done, len(files))
    if not as_json:
        note(DISCLAIMER)
    if failed:
        note(f"{failed} of {len(files)} images could not be classified.")
        click.get_current_context().exit(2)


def _classify(path: Path, classifier: Any) -> dict[str, Any]:
    from edge.cli.image_paths import read_found

    started = time.perf_counter()
    try:
        frame = read_found(path)
        decoded_ms = (time.perf_counter() - started) * 1000
        prediction = classifier.classify(frame)
    except (ImageFileError, FrameError) as error:
        return {"path": str(path), "error": str(error)}
    row = {"path": str(path), **prediction.as_json()}
    row["timing_ms"] = {"decode": decoded_ms, **prediction.timing_ms}
    return row


def _describe(row: dict[str, Any], width: int) -> str:
    if "error" in row:
        return f"{row['path']:<{width}}  error: {row['error']}"
    scores = "  ".join(f"{label} {percent(score)}" for label, score in row["scores"].items())
    return f"{row['path']:<{width}}  {row['label']:<8}  {scores}"
