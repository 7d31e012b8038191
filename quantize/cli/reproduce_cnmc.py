"""blastscope reproduce cnmc."""

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


@click.command(
    "cnmc",
    epilog="""\b
Examples:
  blastscope reproduce cnmc C-NMC --out cnmc
  blastscope reproduce cnmc C-NMC --out quick --seeds 0 --epochs 1 --json

\b
DATA holds C-NMC_training_data with fold_0 to fold_2, or folders all and hem with the set's own file
names, UID_<subject>_<image>_<cell>_<all or hem>: BMP as published, or PNG.
The same command goes on with a study that was stopped, and prints a finished one again.""",
)
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder for the runs and the tables.")
@click.option(
    "--seeds",
    default="0-2",
    show_default=True,
    help="Of the random splits, one run for each, as 0-4 or 0,2,7.",
)
@click.option("--epochs", type=int, help="Passes over the training images, to try things out.")
@json_option
def command(
    data: Path,
    out: Path,
    seeds: str,
    epochs: int | None,
    as_json: bool,
) -> None:
    """Tell leukemic cells from healthy ones, on random splits and on unseen subjects.

    C-NMC 2019, DOI 10.7937/tcia.2019.dc64i46r, single cells: weighted F1 as its challenge counts,
    accuracy, sensitivity, specificity, AUROC and calibration error of the float and the int8
    network, under random splits beside folds that leave subjects out, each with a healthy one
    among them; then every subject's own accuracy, and what a cell's size alone scores.
    """
    from train.keras_loading import load_keras

    stop_on_signals()
    load_keras()
    from quantize.cells import quantize_cells
    from train.cli.train import show_running_epoch
    from train.studies.choices import parse_seeds
    from train.studies.cnmc.reproduction import reproduce_cells
    from train.studies.cnmc.tables import cells_markdown, write_cells

    with progress_bar("Reading images") as read_progress:
        report = reproduce_cells(
            data,
            out,
            seeds=parse_seeds(seeds),
            quantized={"int8": quantize_cells},
            epochs=epochs,
            options={
                "seeds": seeds if seeds != "0-2" else None,
                "epochs": None if epochs is None else str(epochs),
            },
            tell=note,
            read_progress=read_progress,
            fit_progress=show_running_epoch,
        )
    write_cells(out, report)
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(cells_markdown(report))
    note(f"Also in {out}: reproduction.md, reproduction.json and reproduction.png")
