"""blastscope bench."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import PATH, json_option, print_json, progress_bar, table, threads_option


@click.command(
    "bench",
    epilog="""\b
Examples:
  blastscope bench model.tflite
  blastscope bench model.tflite --width 640 --height 480 --threads 1 --json""",
)
@click.argument("model_path", metavar="MODEL...", type=PATH, nargs=-1, required=True)
@click.option("--width", type=click.IntRange(min=1), default=224, show_default=True)
@click.option("--height", type=click.IntRange(min=1), default=224, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=300, show_default=True)
@threads_option
@json_option
def command(
    model_path: tuple[Path, ...],
    width: int,
    height: int,
    rounds: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Time classification of a simulated frame against the bare interpreter's invoke.

    Both run in turns in one process. The ratio says what preprocessing costs on top of the
    network; the milliseconds are this machine's alone.
    """
    from dataclasses import asdict

    from edge.bench import bench
    from edge.model_file import read_model_file
    from edge.smear import render_field

    models = [read_model_file(path) for path in model_path]
    frame = render_field("Early", 0, width=width, height=height)
    results = []
    with progress_bar("Timing") as show:
        for done, model in enumerate(models, start=1):
            results.append(bench(model, frame, rounds=rounds, threads=threads))
            show(done, len(models))
    if as_json:
        print_json([asdict(result) for result in results], indent=2)
        return
    rows = [
        (
            result.model_id,
            f"{result.bare.p50_ms:.2f}",
            f"{result.classify.p50_ms:.2f}",
            f"{result.classify.p90_ms:.2f}",
            f"{result.ratio:.2f}",
        )
        for result in results
    ]
    first = results[0]
    click.echo(
        f"{width} x {height} frame, {rounds} rounds, {first.threads} threads, "
        f"{first.runtime}, delegate {first.delegate}; milliseconds"
    )
    header = ("model", "bare invoke p50", "classify p50", "classify p90", "ratio of p50")
    click.echo(table(header, rows))
