"""blastscope reproduce tamim2025."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import (
    PATH,
    json_option,
    note,
    print_json,
    progress_bar,
    stop_on_signals,
)

#: Its key in `train.studies.papers`.
_PAPER = "tamim2025"

#: Networks that no paper has the like of, measured in the same way where they are asked for.
_OF_OURS = ("fast",)


@click.command(
    "tamim2025",
    epilog="""\b
Examples:
  blastscope reproduce tamim2025 images --out tamim2025
  blastscope reproduce tamim2025 images --out quick --seeds 0 --networks custom-cnn
  blastscope reproduce tamim2025 images --out tamim2025 --weights mobilenet_v2.weights.h5 --json
  blastscope reproduce tamim2025 images --out tamim2025 --finished

\b
The same command goes on with a study that was stopped, and prints a finished one again.
Grouped splits are five folds, of which each seed tests the next. All rows, five seeds and both
splits are 30 trainings, which take hours on a processor.""",
)
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder for the runs and the tables.")
@click.option(
    "--weights",
    help="Of MobileNetV2's backbone: imagenet (downloaded once; the default), none, or the path "
    "of a .weights.h5 file.",
)
@click.option(
    "--seeds", default="0-4", show_default=True, help="One run for each, as 0-4 or 0,2,7."
)
@click.option(
    "--networks",
    help="Rows of the table, with commas between: the paper's, or fast.  [default: the paper's]",
)
@click.option(
    "--splits", default="random,grouped", show_default=True, help="Ways to divide the images."
)
@click.option("--epochs", type=int, help="Passes over the training images, to try things out.")
@click.option(
    "--finished",
    is_flag=True,
    help="Train nothing: print the rows of which every seed is trained, and name the others.",
)
@json_option
def command(
    data: Path,
    out: Path,
    weights: str | None,
    seeds: str,
    networks: str | None,
    splits: str,
    epochs: int | None,
    finished: bool,
    as_json: bool,
) -> None:
    """Make a paper's table again, and show beside it what its figures are worth.

    Tamim et al., arXiv 2501.14228: MobileNetV2 and a custom CNN on four classes of blood-smear
    fields. Its accuracies stand beside ours over five seeds under a random split;
    then the same rows under a split by inferred groups, what colour or a corner alone scores, and
    the accuracy on recoloured images and with the corner blanked or swapped. Ends with exit code 1
    if a promised figure is missed, once seeds 0 to 4 of both splits have been run.
    """
    from train.keras_loading import load_keras

    stop_on_signals()
    load_keras()
    from train.cli.train import show_running_epoch
    from train.splits.kinds import SPLIT_KINDS
    from train.studies.choices import parse_names, parse_seeds
    from train.studies.papers import find_paper
    from train.studies.promises import is_complete
    from train.studies.reproduction import reproduce
    from train.studies.reproduction_tables import reproduction_markdown, write_reproduction

    known = (*find_paper(_PAPER).accuracies, *_OF_OURS)
    with progress_bar("Reading images") as read_progress:
        report = reproduce(
            _PAPER,
            data,
            out,
            seeds=parse_seeds(seeds),
            splits=parse_names(splits, SPLIT_KINDS, "splits"),
            networks=None if networks is None else parse_names(networks, known, "networks"),
            weights=weights,
            epochs=epochs,
            only_finished=finished,
            options={
                "weights": weights and "WEIGHTS",
                "seeds": seeds if seeds != "0-4" else None,
                "networks": networks,
                "splits": splits if splits != "random,grouped" else None,
                "epochs": None if epochs is None else str(epochs),
                "finished": "" if finished else None,
            },
            tell=note,
            read_progress=read_progress,
            fit_progress=show_running_epoch,
        )
    write_reproduction(out, report)
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(reproduction_markdown(report))
    note(f"Also in {out}: reproduction.md, reproduction.json and reproduction.png")
    broken = [one for one in report["promises"] if one["kept"] is False]
    if broken and is_complete(report):
        note(f"{len(broken)} of {len(report['promises'])} promised figures are missed.")
        click.get_current_context().exit(1)
