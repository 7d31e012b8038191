"""python -m train.specimen: measure how much alike a model's errors on one smear are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edge.cli.main import run
from edge.cli.options import MODEL, PATH, json_option, print_json, progress_bar, table


@click.command(
    epilog="""\b
Examples:
  python -m train.specimen run images --part test
  python -m train.specimen model.tflite images --part test --split run/split.csv --json""",
)
@click.argument("model", type=MODEL)
@click.argument("data", type=PATH)
@click.option(
    "--part",
    type=click.Choice(["all", "train", "validation", "test"]),
    default="test",
    show_default=True,
    help="Which part of the split to measure on; one that the model was not trained on.",
)
@click.option("--split", "split_path", type=PATH, help="A run's split.csv, for a .tflite file.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@json_option
def command(
    model: Path, data: Path, part: str, split_path: Path | None, seed: int, as_json: bool
) -> None:
    """Measure the intra-class correlation of MODEL's errors on the images of DATA.

    The split's subjects or pseudo-groups stand for smears. A random split has none: pseudo-groups
    are then inferred from the images. `blastscope specimen --correlation` takes the figure.
    """
    from train.evaluation.evaluation import run_evaluation
    from train.specimen.error_correlation import error_correlation
    from train.splits.pseudo_groups import pseudo_groups
    from train.splits.split import read_split

    if model.suffix != ".tflite":
        from train.keras_loading import load_keras

        load_keras()
    with progress_bar("Reading images") as progress:
        evaluation = run_evaluation(
            model, data, part=part, split_path=split_path, progress=progress
        )
    split = evaluation.model.split if split_path is None else read_split(split_path)
    groups = evaluation.groups
    if groups is None or split is None or split.kind == "random":
        groups = pseudo_groups(evaluation.image_set)[evaluation.chosen]
    labels = evaluation.image_set.labels
    report = {
        **error_correlation(evaluation.scores, evaluation.targets, labels, groups, seed),
        "part": part,
        "split_kind": None if split is None else split.kind,
        "split_seed": None if split is None else split.seed,
    }
    if as_json:
        print_json(report, indent=2)
        return
    rows = [(name, *_cells(report[name])) for name in ("malignant", "classes")]
    click.echo(f"n = {report['n']} in {report['groups']} groups, {part} part\n")
    click.echo(table(("right about", "errors", "correlation", "95 % interval"), rows))


def _cells(one: dict[str, Any]) -> tuple[str, str, str]:
    value, interval = one["correlation"], one["correlation_ci95"]
    said = "–" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
    return str(one["errors"]), "–" if value is None else f"{value:.3f}", said


if __name__ == "__main__":
    sys.exit(run(command=command))
