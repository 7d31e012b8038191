"""blastscope cells."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from edge.cli.image_paths import find_images
from edge.cli.options import MODEL, PATH, json_option, note, print_json, progress_bar
from edge.cli.pictures import distinct_names, write_png
from edge.errors import FrameError, ImageFileError
from edge.labels import DISCLAIMER


@click.command(
    "cells",
    epilog="""\b
Examples:
  blastscope cells field.jpg --draw drawings
  blastscope cells fields/ --json > cells.jsonl
  blastscope cells fields/ --crops crops
  blastscope cells fields/ --model single-cells.tflite --json""",
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option("--draw", type=PATH, metavar="DIR", help="Draw the cells over each image, as PNG.")
@click.option(
    "--crops",
    type=PATH,
    metavar="DIR",
    help="Cut each cell out on black, as PNG, for a model that looks at single cells.",
)
@click.option(
    "--model", "model_path", type=MODEL, help="Classify each cell by itself with this model."
)
@click.option(
    "--red-cell-diameter",
    "diameter",
    type=click.FloatRange(min=6.0),
    metavar="PIXELS",
    help="How large red cells are in the images; estimated in each if left out.",
)
@json_option
def command(
    paths: tuple[Path, ...],
    draw: Path | None,
    crops: Path | None,
    model_path: Path | None,
    diameter: float | None,
    as_json: bool,
) -> None:
    """Find the white cells in image files, or in all images inside folders.

    With --json, one line per image: path, and cells with the box [xmin, ymin, xmax, ymax] in
    pixels, the area in pixels and a score from 0 to 1, the highest first. With --model, each cell
    has its label and scores, and the line counts of the labels. An image that cannot be read
    gives a line with `error`, the others still follow, and the exit code is 2.
    """
    from edge.classifier import Classifier
    from edge.output import make_folder

    for folder in (draw, crops):
        if folder is not None:
            make_folder(folder)
    files = list(find_images(paths))
    names = distinct_names(files)
    failed = 0
    with ExitStack() as stack:
        classifier = stack.enter_context(Classifier.load(model_path)) if model_path else None
        show = stack.enter_context(progress_bar("Looking", shown=not sys.stdout.isatty()))
        width = max((len(str(file)) for file in files), default=0)
        for done, (file, name) in enumerate(zip(files, names, strict=True), start=1):
            row = _look(file, name, draw, crops, classifier, diameter)
            failed += "error" in row
            if as_json:
                print_json(row)
            else:
                click.echo(_describe(row, width))
            show(done, len(files))
    if not as_json:
        note(DISCLAIMER)
    if failed:
        note(f"{failed} of {len(files)} images could not be looked at.")
        click.get_current_context().exit(2)


def _look(
    path: Path,
    name: str,
    draw: Path | None,
    crops: Path | None,
    classifier: Any,
    diameter: float | None,
) -> dict[str, Any]:
    from edge.cells import crop_cell, draw_cells, find_white_cells
    from edge.image_file import read_image

    try:
        frame = read_image(path)
        cells = find_white_cells(frame, diameter)
    except (ImageFileError, FrameError) as error:
        return {"path": str(path), "error": str(error)}
    rows = [cell.as_json() for cell in cells]
    captions = [f"{number} {cell.score:.2f}" for number, cell in enumerate(cells, start=1)]
    row: dict[str, Any] = {"path": str(path), "cells": rows}
    cut_out = [crop_cell(frame, cell) for cell in cells] if crops or classifier else []
    if classifier is not None:
        for index, crop in enumerate(cut_out):
            prediction = classifier.classify(crop)
            rows[index] |= {"label": prediction.label, "scores": dict(prediction.scores)}
            captions[index] = f"{index + 1} {prediction.label}"
        row["counts"] = dict.fromkeys(classifier.labels, 0)
        for cell in rows:
            row["counts"][cell["label"]] += 1
        row["model"] = classifier.model.model_id
    if crops is not None:
        for number, crop in enumerate(cut_out, start=1):
            target = crops / f"{name}-{number:03d}.png"
            write_png(target, crop)
            rows[number - 1]["crop"] = str(target)
    if draw is not None:
        row["drawing"] = str(draw / f"{name}.png")
        write_png(Path(row["drawing"]), draw_cells(frame, cells, captions))
    return row


def _describe(row: dict[str, Any], width: int) -> str:
    if "error" in row:
        return f"{row['path']:<{width}}  error: {row['error']}"
    count = len(row["cells"])
    said = f"{row['path']:<{width}}  {count} white {'cell' if count == 1 else 'cells'}"
    if "counts" in row:
        said += "  " + "  ".join(f"{label} {n}" for label, n in row["counts"].items())
    return said
