"""blastscope train."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any, cast

import click

from edge.cli.options import (
    PATH,
    accuracy_line,
    json_option,
    note,
    print_json,
    progress_bar,
    stop_on_signals,
)
from train.augmentation.names import AUGMENTATIONS
from train.balance.methods import BALANCES, Balance
from train.recipes import RECIPES
from train.splits.split import DEFAULT_TEST_FRACTION


@click.command(
    "train",
    epilog="""\b
Examples:
  blastscope train mobilenet-v2 --data images --out run
  blastscope train custom-cnn --data images --out run --epochs 5 --seed 1
  blastscope train custom-cnn --data images --out run --balance none --augment turn,stain,hue
  blastscope train custom-cnn --data images --out run --split grouped
  blastscope train custom-cnn --data images --out run --teacher mobilenet-v2-run
  blastscope train custom-cnn --data images --out run --resume
  blastscope train head --data images --out model.tflite

\b
The images lie as images/<class>/*.jpg or images/Original/<class>/*.jpg.
head is no network: it fits a last layer to a frozen int8 MobileNetV2 within seconds; see
`blastscope train head --help`. fast is a network for the smallest Pi. cell is for single white
cells on black, as C-NMC 2019 has them: the binary task, all (leukemic) against hem (healthy).
custom-cnn-paper is the published form of the small network, kept for comparison.""",
)
@click.argument("network", type=click.Choice(list(RECIPES)))
@click.option("--data", type=PATH, required=True, help="Folder with one folder per class.")
@click.option("--out", type=PATH, required=True, help="Run folder to make.")
@click.option(
    "--weights",
    help="Of the backbone of mobilenet-v2: imagenet (downloaded once; the default), "
    "none, or the path of a .weights.h5 file.",
)
@click.option(
    "--epochs",
    type=int,
    help="Passes over the training images.  [default: "
    + ", ".join(f"{recipe.epochs} for {recipe.network}" for recipe in RECIPES.values())
    + "]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    help="Of the split and of all else that is random.  [default: 0]",
)
@click.option(
    "--test-fraction",
    type=float,
    help="Share of the images kept apart for testing; with 0, figures are of the validation part.  "
    f"[default: {DEFAULT_TEST_FRACTION}]",
)
@click.option(
    "--split",
    metavar="KIND|FILE",
    help="What stays on one side: random (near-identical images), grouped (pseudo-groups: images "
    "that look as if from one smear), subject (from C-NMC file names) or "
    "unseen-subjects (of the test part alone); or a file that "
    "`blastscope split` or an earlier run wrote.  [default: random]",
)
@click.option(
    "--fold",
    metavar="I/K",
    help="Test on the I-th of K folds, such as 1/5, and train on the others; all seeds have the "
    "same folds.",
)
@click.option(
    "--balance",
    type=click.Choice(list(BALANCES)),
    help="What is done where the classes of the training part differ in number: "
    + "; ".join(f"{name}: {text}" for name, text in BALANCES.items())
    + ".  [default: none]",
)
@click.option(
    "--augment",
    metavar="NAME,NAME",
    help=f"Random changes in training: none, or some of {', '.join(AUGMENTATIONS)}.  "
    "[default: all that the network's recipe has]",
)
@click.option(
    "--teacher",
    type=PATH,
    metavar="RUN",
    help="A finished run whose network to learn from besides the classes, such as MobileNetV2's "
    "for custom-cnn; it must not know what this run is tested with.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run in --out, with its own options unless they are given; only --epochs "
    "may differ.",
)
@json_option
def command(
    network: str,
    data: Path,
    out: Path,
    weights: str | None,
    epochs: int | None,
    seed: int | None,
    test_fraction: float | None,
    split: str | None,
    fold: str | None,
    balance: str | None,
    augment: str | None,
    teacher: Path | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Train a network on a folder of images and keep everything in a run folder.

    The run folder gets the best model, the split, curves and a confusion matrix as pictures,
    metrics as JSON, and what it was all made with. Ctrl-C keeps the best model so far.
    """
    from train.keras_loading import load_keras

    stop_on_signals()
    load_keras()
    from train.training import train

    with progress_bar("Reading images") as read_progress:
        result = train(
            network,
            data,
            out,
            weights=weights,
            epochs=epochs,
            seed=seed,
            test_fraction=test_fraction,
            split=split,
            fold=fold,
            balance=cast(Balance | None, balance),
            augmentation=None if augment is None else _names(augment),
            teacher=teacher,
            resume=resume,
            read_progress=read_progress,
            fit_progress=show_epoch,
        )
    if as_json:
        print_json({"run": str(out), **result.metrics}, indent=2)
    else:
        part = result.metrics["judging_part"]
        click.echo(f"{network}, float, {part} part: {accuracy_line(result.metrics[part])}")
        click.echo(f"({result.metrics['split']}; seed {result.metrics['seed']})")
        click.echo(f"Run folder: {out}")
        note(f"Next: blastscope quantize {shlex.quote(str(out))} --out {network}.tflite")
    if result.interrupted:
        note("Interrupted: this is the best model so far. Go on with --resume.")
        click.get_current_context().exit(130)


def _names(augment: str) -> list[str]:
    """Return the names in a list with commas; "none" is a list of none."""
    return [] if augment == "none" else [name.strip() for name in augment.split(",")]


def show_epoch(epoch: int, epochs: int, done: float, row: Any) -> None:
    """Show the running epoch on a terminal, and a line for each that has finished."""
    show_running_epoch(epoch, epochs, done, row)
    if row is None:
        return
    note(
        f"epoch {epoch:>3}/{epochs}  training: loss {row.loss:.4f}, accuracy {row.accuracy:.1%}   "
        f"validation: loss {row.validation_loss:.4f}, accuracy {row.validation_accuracy:.1%}   "
        f"{row.seconds:.0f} s"
    )


def show_running_epoch(epoch: int, epochs: int, done: float, row: Any) -> None:
    """Show the running epoch on a terminal, and take it away once the epoch has finished."""
    if not sys.stderr.isatty():
        return
    if row is not None:
        click.echo("\r\033[K", nl=False, err=True)
        return
    filled = int(30 * done)
    bar = "#" * filled + "-" * (30 - filled)
    click.echo(f"\repoch {epoch:>3}/{epochs}  [{bar}]", nl=False, err=True)
