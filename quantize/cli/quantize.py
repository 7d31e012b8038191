"""blastscope quantize."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from edge.cli.options import PATH, json_option, note, percent, print_json, progress_bar, table
from quantize.gate import DEFAULT_MAX_DROP_POINTS


@click.command(
    "quantize",
    epilog="""\b
Examples:
  blastscope quantize run --out model.tflite
  blastscope quantize run --out model.tflite --max-drop 0.2 --json""",
)
@click.argument("run", type=PATH)
@click.option("--out", type=PATH, required=True, help="Model file to write.")
@click.option(
    "--max-drop",
    "max_drop_points",
    metavar="PP",
    type=float,
    default=DEFAULT_MAX_DROP_POINTS,
    show_default=True,
    help="Largest loss of accuracy on the test part, in percentage points.",
)
@click.option("--data", type=PATH, help="The images, if they have moved since training.")
@click.option("--overwrite", is_flag=True, help="Replace --out if it exists.")
@json_option
def command(
    run: Path,
    out: Path,
    max_drop_points: float,
    data: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Turn a run's network into one int8 TFLite file, if it is as good as the float network.

    Ranges are measured on class-balanced images of the training part; float and int8 are compared
    on the test part. If int8 loses more than --max-drop, no file is written and the exit code is 1.
    """
    from train.keras_loading import load_keras

    load_keras()
    from quantize.quantization import quantize

    with progress_bar("Reading images") as progress:
        result = quantize(
            run,
            out,
            max_drop_points=max_drop_points,
            data=data,
            overwrite=overwrite,
            progress=progress,
        )
    comparison = result.comparison
    if as_json:
        print_json(
            {
                "model": str(out),
                "model_id": result.model.model_id,
                "bytes": len(result.model.content),
                **result.model.card["quantization"],
                "float": comparison.float_report,
                "int8": comparison.int8_report,
            },
            indent=2,
        )
        return
    reports = {"float32": comparison.float_report, "int8": comparison.int8_report}
    rows = [
        (
            name,
            str(report["n"]),
            f"{report['accuracy']:.2%}",
            f"{report['accuracy_ci95'][0]:.2%} to {report['accuracy_ci95'][1]:.2%}",
            *(percent(one["sensitivity"]) for one in report["per_class"].values()),
        )
        for name, report in reports.items()
    ]
    labels = [f"{label} sensitivity" for label in result.model.labels]
    click.echo(table(("test part", "n", "accuracy", "95 % interval", *labels), rows))
    click.echo(
        f"int8 loses {comparison.drop_points:.2f} points (at most {max_drop_points:g}); "
        f"{comparison.flips} images change class"
    )
    click.echo(f"Model: {out} ({len(result.model.content) / 1e6:.2f} MB)")
    note(f"Next: blastscope classify IMAGE --model {shlex.quote(str(out))}")
