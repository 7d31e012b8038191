"""README's measured table, made anew: `make figures`.

Trains both networks on a folder of real images, quantizes them, times them, and prints the table
with everything that it rests on. It fails if a figure is below what blastscope promises.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edge.cli.main import run
from edge.cli.options import PATH, note
from quantize.accuracy_gate.criterion import Criterion

#: Least accuracy of the float network under a random split, and most minutes of training on two
#: cores.
PROMISES = {"custom-cnn": (0.98, 10.0), "mobilenet-v2": (0.985, 20.0)}

#: What stays on one side: copies alone, and images that look as if they were of one smear.
SPLITS = ("random", "grouped")

#: Largest ratio of classify to invoke.
MAX_RATIO = 1.3


@dataclass(frozen=True, slots=True)
class Row:
    """One network's figures."""

    network: str
    split: str
    images: dict[str, int]
    float_report: dict[str, Any]
    int8_report: dict[str, Any]
    drop_points: float
    flips: int
    minutes: float
    megabytes: float
    invoke_ms: float
    classify_ms: float
    ratio: float


def measure(network: str, split: str, data: Path, weights: str | None, out: Path, seed: int) -> Row:
    """Train (or take a finished run), quantize, and time one network.

    Args:
        network: a name out of `train.recipes.RECIPES`.
        split: "random" or "grouped".
        data: the image set.
        weights: of MobileNetV2's backbone.
        out: where run folders and models go; a finished run of the same name is taken as it is.
        seed: of the run.
    """
    import json

    from edge.bench import bench
    from edge.model_file import read_model_file
    from edge.smear import render_field
    from quantize.quantization import quantize
    from train.cli.train import show_epoch
    from train.run_folder import RunFolder
    from train.training import train

    name = f"{network}-{split}-{seed}"
    run, model_path = RunFolder(out / name), out / f"{name}.tflite"
    if not run.model.is_file():
        train(
            network,
            data,
            run.path,
            weights=weights,
            seed=seed,
            split=split,
            fit_progress=show_epoch,
        )
    metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
    result = quantize(run.path, model_path, overwrite=True)
    timing = bench(read_model_file(model_path), render_field("Early", 0), threads=1)
    held_out = result.decision.held_out
    return Row(
        network=network,
        split=split,
        images=metrics["images"],
        float_report=result.float_report,
        int8_report=result.int8_report,
        drop_points=held_out.drop_points,
        flips=len(held_out.flipped),
        minutes=metrics["training_seconds"] / 60,
        megabytes=len(result.model.content) / 1e6,
        invoke_ms=timing.bare.p50_ms,
        classify_ms=timing.classify.p50_ms,
        ratio=timing.ratio,
    )


def broken_promises(rows: list[Row]) -> list[str]:
    """Return a sentence for each figure that is worse than promised."""
    found = []
    for row in rows:
        accuracy, minutes = PROMISES[row.network]
        if row.split != "random":
            accuracy = 0.0
        for what, value, limit, fine in (
            ("float accuracy", row.float_report["accuracy"], accuracy, 1),
            ("minutes of training", row.minutes, minutes, -1),
            ("points lost to int8", row.drop_points, Criterion().max_drop_points, -1),
            ("classify over invoke", row.ratio, MAX_RATIO, -1),
        ):
            if (value - limit) * fine < 0:
                found.append(f"{row.network}: {what} is {value:.4g}, promised is {limit:g}")
    return found


def as_markdown(rows: list[Row], seed: int) -> str:
    """Lay the figures out as README has them."""
    images = {row.split: row.images for row in rows}
    lines = [
        f"- {split} split, seed {seed}: {of['train']} training, {of['validation']} validation, "
        f"{of['test']} test images (n of the table)"
        for split, of in images.items()
    ]
    lines += [
        "",
        "| network | split | float | int8 | changed class | int8 file | invoke "
        "| classify / invoke |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.network} | {row.split} | {_accuracy(row.float_report)} "
        f"| {_accuracy(row.int8_report)} | {row.flips} of {row.int8_report['n']} "
        f"| {row.megabytes:.2f} MB | {row.invoke_ms:.2f} ms | {row.ratio:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _accuracy(report: dict[str, Any]) -> str:
    low, high = report["accuracy_ci95"]
    return f"{report['accuracy']:.2%} ({low:.2%} to {high:.2%})"


@click.command()
@click.argument("data", type=PATH)
@click.option("--weights", required=True, help="Of MobileNetV2's backbone.")
@click.option("--out", type=PATH, default=Path("runs"), show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def main(data: Path, weights: str, out: Path, seed: int) -> None:
    """Print README's table; exit with 1 if a figure is worse than promised."""
    from train.keras_loading import load_keras

    load_keras()
    rows = []
    for split in SPLITS:
        for network in PROMISES:
            note(f"{network}, {split} split, seed {seed}")
            own_weights = weights if network == "mobilenet-v2" else None
            rows.append(measure(network, split, data, own_weights, out, seed))
    click.echo(as_markdown(rows, seed))
    for row in rows:
        note(f"{row.network}, {row.split} split: {row.minutes:.1f} minutes of training")
    if broken := broken_promises(rows):
        click.echo("\n".join(broken), err=True)
        click.get_current_context().exit(1)


if __name__ == "__main__":
    sys.exit(run(command=main))
