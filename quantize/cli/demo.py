"""blastscope demo."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import PATH, json_option, note, print_json, progress_bar, table
from edge.labels import DISCLAIMER


@click.command(
    "demo",
    epilog="""\b
Examples:
  blastscope demo
  blastscope demo --out /tmp/demo --seed 1 --overwrite""",
)
@click.option("--out", type=PATH, default=Path("demo"), show_default=True, help="Folder to make.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo in --out.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@json_option
def command(out: Path, overwrite: bool, seed: int, as_json: bool) -> None:
    """Run the whole path on simulated smears, in a few minutes and without any data.

    Renders smears, trains the custom CNN on them, quantizes it with the accuracy check, classifies
    frames from the simulated microscope, and draws one HTML page of it all.
    """
    from train.keras_loading import load_keras

    load_keras()
    from quantize.demo import run_demo
    from train.cli.train import show_epoch

    with progress_bar("Rendering") as render_progress:
        result = run_demo(
            out,
            overwrite=overwrite,
            seed=seed,
            say=note,
            render_progress=render_progress,
            fit_progress=show_epoch,
        )
    quantization, timing = result.quantization, result.timing
    correct = sum(frame.prediction.label == frame.true_label for frame in result.frames)
    if as_json:
        print_json(
            {
                "page": str(result.page),
                "model": str(result.quantization.model.path),
                "float": quantization.float_report,
                "int8": quantization.int8_report,
                "drop_points": quantization.decision.held_out.drop_points,
                "frames": len(result.frames),
                "frames_correct": correct,
                "classify_p50_ms": timing.decision.p50_ms,
            },
            indent=2,
        )
        return
    rows = [
        (
            name,
            str(report["n"]),
            f"{report['accuracy']:.1%}",
            f"{report['accuracy_ci95'][0]:.1%} to {report['accuracy_ci95'][1]:.1%}",
            f"{size / 1e6:.2f} MB",
        )
        for name, report, size in (
            ("float32", quantization.float_report, result.training.run.model.stat().st_size),
            ("int8", quantization.int8_report, len(result.quantization.model.content)),
        )
    ]
    click.echo()
    click.echo(
        table(("simulated smears, test part", "n", "accuracy", "95 % interval", "size"), rows)
    )
    click.echo(
        f"\n{correct} of {len(result.frames)} frames from the simulated microscope are right; "
        f"{timing.decision.p50_ms:.2f} ms a frame on this machine."
    )
    note("Next, on a real smear, with a model that comes along: blastscope classify field.jpg")
    click.echo(f"{DISCLAIMER}\n\nModel: {result.quantization.model.path}\nPage:  {result.page}")
