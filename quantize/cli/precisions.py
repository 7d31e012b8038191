"""blastscope precisions."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from edge.cli.options import PATH, json_option, note, print_json, progress_bar, table


@click.command(
    "precisions",
    epilog="""\b
Examples:
  blastscope precisions run --out precisions
  blastscope bench precisions/*.tflite --data images --split run/split.csv --out bench""",
)
@click.argument("run", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder to write.")
@click.option("--data", type=PATH, help="The images, if they have moved since training.")
@json_option
def command(run: Path, out: Path, data: Path | None, as_json: bool) -> None:
    """Write a run's network as float32, float16, dynamic-range, int16x8 and int8 TFLite files.

    They are for `blastscope bench`, which compares them; no accuracy is checked here.
    `blastscope quantize` makes the model for a station.
    """
    from train.keras_loading import load_keras

    load_keras()
    from quantize.precisions import write_precisions

    with progress_bar("Reading images") as progress:
        paths = write_precisions(run, out, data=data, progress=progress)
    sizes = {name: path.stat().st_size for name, path in paths.items()}
    if as_json:
        models = {name: {"path": str(paths[name]), "bytes": sizes[name]} for name in paths}
        print_json(models, indent=2)
        return
    rows = [(name, str(paths[name]), f"{sizes[name] / 1e6:.2f}") for name in paths]
    click.echo(table(("precision", "file", "MB"), rows))
    note(
        f"Next: blastscope bench {shlex.quote(str(out))}/*.tflite --data IMAGES "
        f"--split {shlex.quote(str(run / 'split.csv'))}"
    )
