"""blastscope pack."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import PATH, json_option, print_json


@click.command(
    "pack",
    epilog="""\b
Example:
  blastscope pack plain.tflite --labels Benign,Early,Pre,Pro --out model.tflite""",
)
@click.argument("plain", type=PATH)
@click.option("--labels", required=True, help="The classes in the order of the outputs, A,B,C.")
@click.option("--out", type=PATH, required=True, help="Model file to write.")
@click.option("--name", help="The network's name; the file's name if left out.")
@click.option(
    "--model-version",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Counts up with each release: a station with a trust store takes no older one.",
)
@json_option
def command(
    plain: Path, labels: str, out: Path, name: str | None, model_version: int, as_json: bool
) -> None:
    """Give a TFLite classifier from elsewhere the labels and the card that the runtime needs.

    The model takes uint8 RGB of shape (1, height, width, 3) and gives uint8 scores. Its accuracy
    is not checked: `blastscope evaluate` does that.
    """
    from quantize.packing import pack_plain_model

    names = [label.strip() for label in labels.split(",") if label.strip()]
    model = pack_plain_model(plain, names, out, name=name, model_version=model_version)
    if as_json:
        print_json({"model": str(out), "model_id": model.model_id, "labels": list(model.labels)})
    else:
        click.echo(f"Model: {out} ({model.model_id}, {', '.join(model.labels)})")
