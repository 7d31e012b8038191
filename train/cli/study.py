"""blastscope study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.cli.options import (
    PATH,
    json_option,
    note,
    print_json,
    progress_bar,
    stop_on_signals,
)
from train.cli import deep_features, shared_mistakes

_Function = TypeVar("_Function", bound=Callable[..., Any])


@click.group(
    "study",
    epilog="""\b
Examples:
  blastscope study balancing images --out balancing
  blastscope study augmentation images --out augmentation --rows all,none,without-stain
  blastscope study deep-features images --out deep
  blastscope study shared-mistakes images tamim2025 --sheet doubtful.png""",
)
def command() -> None:
    """Train or fit in several ways and set them side by side.

    Every way is trained with the same seeds on the same images. The same command goes on with a
    study that was stopped, and prints a finished one again. `shared-mistakes` trains nothing: it
    reads finished studies.
    """


command.add_command(deep_features.command)
command.add_command(shared_mistakes.command)


def _study_options(function: _Function) -> _Function:
    """Add what all studies take."""
    options = (
        click.argument("data", type=PATH),
        click.option("--out", type=PATH, required=True, help="Folder for the runs and the tables."),
        click.option("--network", default="custom-cnn", show_default=True, help="What is trained."),
        click.option("--weights", help="Of MobileNetV2's backbone: imagenet, none or a path."),
        click.option("--epochs", type=int, help="Passes over the images.  [default: the recipe's]"),
        click.option(
            "--seeds", default="0-2", show_default=True, help="One run for each, as 0-4 or 0,2,7."
        ),
        click.option(
            "--splits", default="random,grouped", show_default=True, help="Ways to divide."
        ),
        click.option(
            "--on",
            "part",
            type=click.Choice(["validation", "test"]),
            default="validation",
            show_default=True,
            help="Part of each split that figures are from. What is chosen by test figures has no "
            "unseen images left.",
        ),
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command(
    "balancing",
    short_help="Compare ways to balance the classes.",
    epilog="""\b
Examples:
  blastscope study balancing images --out balancing
  blastscope study balancing images --out balancing --rows smote,class-weights --seeds 0-4
  blastscope study balancing images --out balancing --on test --json""",
)
@click.option("--rows", help="Ways to balance, with commas between.  [default: all]")
@_study_options
def balancing(rows: str | None, **options: Any) -> None:
    """Compare no balancing, class weights, SMOTE on pixels and on features, and ADASYN.

    Says plainly whether SMOTE helps: accuracy, macro F1 and the sensitivity for the rarest class,
    each way against none on the same images.
    """
    _load()
    from train.balance.methods import BALANCES
    from train.studies.balancing import balancing_markdown, balancing_rows

    _run("balancing", rows, BALANCES, balancing_rows, balancing_markdown, (), **options)


@command.command(
    "augmentation",
    short_help="See what each kind of augmentation buys.",
    epilog="""\b
Examples:
  blastscope study augmentation images --out augmentation
  blastscope study augmentation images --out augmentation --rows none,only-turn,only-stain
  blastscope study augmentation images --out augmentation --seeds 0 --splits grouped --json

\b
Rows: all, none, without-KIND and only-KIND, where KIND is turn, stain, lab (hue in CIELAB), light
(exposure and white balance), camera (defocus, noise, JPEG) or corner (scale bars).""",
)
@click.option(
    "--rows",
    help="With commas between.  [default: all, none and each without-KIND]",
)
@_study_options
def augmentation(rows: str | None, **options: Any) -> None:
    """Leave kinds of augmentation out, and see what each buys.

    Accuracy on the images as they are, recoloured as by another laboratory, and with the corner,
    where some sets have scale bars, swapped between classes: each row against all augmentations.
    """
    _load()
    from train.studies.augmentation import ROWS, augmentation_markdown, augmentation_rows
    from train.studies.measurement import CORNER_SWAPPED, LABORATORY_SHIFT

    _run(
        "augmentation",
        rows,
        ROWS,
        augmentation_rows,
        augmentation_markdown,
        (LABORATORY_SHIFT, CORNER_SWAPPED),
        **options,
    )


def _load() -> None:
    from train.keras_loading import load_keras

    stop_on_signals()
    load_keras()


def _run(
    name: str,
    rows: str | None,
    known: Any,
    make_rows: Any,
    markdown: Any,
    alterations: tuple[str, ...],
    *,
    data: Path,
    out: Path,
    network: str,
    weights: str | None,
    epochs: int | None,
    seeds: str,
    splits: str,
    part: str,
    as_json: bool,
) -> None:
    from train.cli.train import show_running_epoch
    from train.splits.kinds import SPLIT_KINDS
    from train.studies.choices import parse_names, parse_seeds
    from train.studies.comparison import compare_rows
    from train.studies.comparison_tables import write_comparison

    names = None if rows is None else parse_names(rows, known, "rows")
    chosen = make_rows(network, names, weights=weights, epochs=epochs)
    given = {
        "network": network if network != "custom-cnn" else None,
        "rows": rows,
        "weights": weights and "WEIGHTS",
        "epochs": None if epochs is None else str(epochs),
        "seeds": seeds if seeds != "0-2" else None,
        "splits": splits if splits != "random,grouped" else None,
        "on": part if part != "validation" else None,
    }
    with progress_bar("Reading images") as read_progress:
        report = compare_rows(
            f"study {name}",
            chosen,
            data,
            out,
            seeds=parse_seeds(seeds),
            splits=parse_names(splits, SPLIT_KINDS, "splits"),
            part=part,
            alterations=alterations,
            options=given,
            tell=note,
            read_progress=read_progress,
            fit_progress=show_running_epoch,
        )
    write_comparison(out, name, report, markdown)
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(markdown(report))
    note(f"Also in {out}: {name}.md, {name}.json and {name}.png")
