"""blastscope evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.cli.options import (
    MODEL,
    PATH,
    accuracy_line,
    json_option,
    note,
    print_json,
    progress_bar,
    table,
)
from edge.errors import TrainingError
from edge.output import require_writable


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  blastscope evaluate run images --part test
  blastscope evaluate run images --part test --report evaluation
  blastscope evaluate run images --part test --cam --json
  blastscope evaluate mobilenet-v2 other-images --json
  blastscope evaluate deep/pipeline images --part test
  blastscope evaluate model.tflite images --part test --split run/split.csv""",
)
@click.argument("model", type=MODEL)
@click.argument("data", type=PATH)
@click.option(
    "--part",
    type=click.Choice(["all", "train", "validation", "test"]),
    default="all",
    show_default=True,
    help="Which part of the split to score; images are recognized by their content.",
)
@click.option(
    "--split",
    "split_path",
    type=PATH,
    help="A run's split.csv, for a .tflite file. Its groups are drawn together for intervals.",
)
@click.option(
    "--report",
    "out",
    type=PATH,
    help="Folder for one HTML page with pictures: reliability, mistakes, class activation.",
)
@click.option(
    "--cam",
    "with_cam",
    is_flag=True,
    help="Work out which share of the class activation (Grad-CAM) lies on white cells.",
)
@json_option
def command(
    model: Path,
    data: Path,
    part: str,
    split_path: Path | None,
    out: Path | None,
    with_cam: bool,
    as_json: bool,
) -> None:
    """Score a run folder, a .keras or a .tflite file, or a pipeline, on labelled images.

    A .tflite file is scored with the runtime that a Pi uses, and needs no TensorFlow here; it also
    says how many images got a result, and how good these alone are. With --json, one object: n,
    accuracy, macro_f1, weighted_f1, auroc, brier, ece, each with its 95 % interval; malignant,
    per_class, confusion; answers of a .tflite file; class_activation with --cam.
    """
    is_float = model.suffix != ".tflite"
    if with_cam and not is_float:
        raise TrainingError(
            "Class activation is worked out on the float network",
            got=f"--cam with {model}",
            next_step="Pass the run folder that the file was made from",
        )
    if is_float:
        from train.keras_loading import load_keras

        load_keras()
    if out is not None:
        require_writable(out / "index.html")
        from train.evaluation.folder import write_folder
    from train.evaluation.evaluation import run_evaluation

    with progress_bar("Reading images") as progress:
        evaluation = run_evaluation(
            model, data, part=part, split_path=split_path, progress=progress
        )
    report = evaluation.report
    _warn(report)
    activation = None
    if is_float and (with_cam or out is not None):
        from train.evaluation.explanation import explain

        try:
            with progress_bar("Working out class activation") as progress:
                activation, report["class_activation"] = explain(evaluation, progress)
        except TrainingError as error:
            if with_cam:
                raise
            note(f"The report has no class activation: {error}")
    if out is not None:
        page = write_folder(out, evaluation, report, model.name, activation)
        note(f"Wrote {page}")
    if as_json:
        print_json(report, indent=2)
    else:
        _show(report)


def _warn(report: dict[str, Any]) -> None:
    """Say where the model has seen the images before."""
    if report["n_trained_on"]:
        note(
            f"Beware: the model was trained on {report['n_trained_on']} of these {report['n']} "
            "images. Use --part test for those it has never seen."
        )
    if report["same_data"] and report["part"] == "all":
        note(
            "Beware: the model was trained on a part of these images. Use --part test with "
            "--split RUN/split.csv for those it has never seen."
        )


def _show(report: dict[str, Any]) -> None:
    from train.evaluation import tables

    click.echo(f"{accuracy_line(report)}\n{_images_line(report)}\n")
    if "answers" in report:
        click.echo(f"{_answers(report['answers'])}\n")
    click.echo(table(tables.headline_header(report), tables.headline_rows(report)))
    click.echo(f"\nshares: Wilson intervals; others: {report['intervals']['others']}\n")
    click.echo(table(tables.CLASS_HEADER, tables.class_rows(report)))
    click.echo("\nrows are true classes, columns are predictions")
    click.echo(_confusion(report))
    if "class_activation" in report:
        energy = report["class_activation"]
        click.echo(f"\n{table(tables.ACTIVATION_HEADER, tables.activation_rows(energy))}")


def _images_line(report: dict[str, Any]) -> str:
    """Say which images a report is of."""
    of = "all images"
    if report["part"] != "all":
        split = report["split"]
        of = f"{report['part']} part of a {split['kind']} split"
        of += "" if split["seed"] is None else f", seed {split['seed']}"
        of += "" if split["fold"] is None else f", fold {split['fold']}"
    return f"{of}; images of version {report['data_sha256'][:12]}"


def _answers(answers: dict[str, Any]) -> str:
    """Say how many images got a result, and how good those alone are."""
    low, high = answers["share_ci95"]
    text = (
        f"result for {answers['results']} of {answers['n']} ({answers['share']:.2%}, 95 % interval "
        f"{low:.2%} to {high:.2%})"
    )
    if answers["accuracy"] is not None:
        low, high = answers["accuracy_ci95"]
        text += f"; of these right {answers['accuracy']:.2%} ({low:.2%} to {high:.2%})"
    others = [f"{count} {reason}" for reason, count in answers["reasons"].items()]
    return "\n".join([text, *([f"others: {', '.join(others)}"] if others else [])])


def _confusion(report: dict[str, Any]) -> str:
    labels = report["confusion"]["labels"]
    rows = [
        (label, *map(str, row))
        for label, row in zip(labels, report["confusion"]["matrix"], strict=True)
    ]
    return table(("", *labels), rows)
