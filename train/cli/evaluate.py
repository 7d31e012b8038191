"""blastscope evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.cli.options import (
    PATH,
    accuracy_line,
    json_option,
    note,
    percent,
    print_json,
    progress_bar,
    table,
)


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  blastscope evaluate run images --part test
  blastscope evaluate model.tflite other-images --json
  blastscope evaluate model.tflite images --part test --split run/split.csv""",
)
@click.argument("model", type=PATH)
@click.argument("data", type=PATH)
@click.option(
    "--part",
    type=click.Choice(["all", "train", "validation", "test"]),
    default="all",
    show_default=True,
    help="Which part of the split to score; images are recognized by their content.",
)
@click.option("--split", "split_path", type=PATH, help="A run's split.csv, for a .tflite file.")
@json_option
def command(model: Path, data: Path, part: str, split_path: Path | None, as_json: bool) -> None:
    """Score a run folder, a .keras or a .tflite file on labelled images.

    A .tflite file is scored with the runtime that a Pi uses, and needs no TensorFlow here. With
    --json, one object: n, accuracy, accuracy_ci95, macro_f1, weighted_f1, per_class, confusion.
    """
    if model.suffix != ".tflite":
        from train.keras_loading import load_keras

        load_keras()
    from train.evaluation import evaluate

    with progress_bar("Reading images") as progress:
        report = evaluate(model, data, part=part, split_path=split_path, progress=progress)
    if report["n_trained_on"]:
        note(
            f"Beware: the model was trained on {report['n_trained_on']} of these {report['n']} "
            "images. Use --part test for those it has never seen."
        )
    if report["same_data"] and part == "all":
        note(
            "Beware: the model was trained on a part of these images. Use --part test with "
            "--split RUN/split.csv for those it has never seen."
        )
    if as_json:
        print_json(report, indent=2)
        return
    click.echo(accuracy_line(report))
    click.echo(f"macro F1 {report['macro_f1']:.4f}, weighted F1 {report['weighted_f1']:.4f}\n")
    click.echo(_per_class(report))
    click.echo("\nrows are true classes, columns are predictions")
    click.echo(_confusion(report))


def _per_class(report: dict[str, Any]) -> str:
    shares = ("sensitivity", "specificity", "precision", "f1")
    rows = [
        (label, str(figures["n"]), *(percent(figures[share]) for share in shares))
        for label, figures in report["per_class"].items()
    ]
    return table(("class", "n", *shares), rows)


def _confusion(report: dict[str, Any]) -> str:
    labels = report["confusion"]["labels"]
    rows = [
        (label, *map(str, row))
        for label, row in zip(labels, report["confusion"]["matrix"], strict=True)
    ]
    return table(("", *labels), rows)
