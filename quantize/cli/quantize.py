"""blastscope quantize."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.options import PATH, json_option, note, percent, print_json, progress_bar, table
from quantize.accuracy_gate.criterion import Criterion
from quantize.cli.criterion_options import criterion_options

if TYPE_CHECKING:
    from quantize.recovery.attempt import Attempt


@click.command(
    "quantize",
    epilog="""\b
Examples:
  blastscope quantize run --out model.tflite
  blastscope quantize run --out model.tflite --report gate --json""",
)
@click.argument("run", type=PATH)
@click.option("--out", type=PATH, required=True, help="Model file to write.")
@criterion_options
@click.option(
    "--must-show",
    is_flag=True,
    help="Each limit must be shown to hold with 95 % confidence, not only hold on these images.",
)
@click.option(
    "--accept-too-few",
    is_flag=True,
    help="Write the model even where there are too few images to tell; its card says so.",
)
@click.option(
    "--no-recovery", is_flag=True, help="Fail at once where plain int8 does, and try nothing else."
)
@click.option("--every-step", is_flag=True, help="Try every step, to see what each would cost.")
@click.option("--report", type=PATH, help="Folder for gate.json and gate.html, with every change.")
@click.option(
    "--model-version",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Counts up with each release: a station with a trust store takes no older one.",
)
@click.option("--data", type=PATH, help="The images, if they have moved since training.")
@click.option("--overwrite", is_flag=True, help="Replace --out if it exists.")
@json_option
def command(
    run: Path,
    out: Path,
    criterion: Criterion,
    must_show: bool,
    accept_too_few: bool,
    no_recovery: bool,
    every_step: bool,
    report: Path | None,
    model_version: int,
    data: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Turn a run's network into one int8 TFLite file, if it is as good as the float network.

    Ranges are measured on class-balanced images of the training part. Float and int8 are compared
    on the test part (that of validation where no image was kept for testing), and on all images
    that the calibration did not see. If plain int8 misses a
    limit, other calibrations are tried, then float for the layers that need it (the fewest that
    do), then evened-out weights and corrected biases, until all limits are held. If none holds
    them, or there are too few images to tell, no file is written and the exit code is 1.
    """
    from train.keras_loading import load_keras

    load_keras()
    from quantize.gate_report import CHECK_HEADER, check_rows
    from quantize.quantization import quantize
    from quantize.recovery.ladder import STEPS

    with progress_bar("Reading images") as progress:
        result = quantize(
            run,
            out,
            criterion=criterion,
            must_show=must_show,
            accept_too_few=accept_too_few,
            steps=() if no_recovery else STEPS,
            every_step=every_step,
            tell=_tell,
            report=report,
            model_version=model_version,
            data=data,
            overwrite=overwrite,
            progress=progress,
        )
    decision = result.decision
    if as_json:
        print_json(
            {
                "model": str(out),
                "model_id": result.model.model_id,
                "bytes": len(result.model.content),
                **result.model.card["quantization"],
                "gate": decision.as_dict(),
                "float": result.float_report,
                "int8": result.int8_report,
            },
            indent=2,
        )
        return
    reports = {"float32": result.float_report, "int8": result.int8_report}
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
    click.echo(table((f"{decision.part} part", "n", "accuracy", "95 % interval", *labels), rows))
    click.echo()
    click.echo(table(CHECK_HEADER, check_rows(decision.checks)))
    changed = decision.unseen.flipped
    chosen = result.recovery.chosen
    click.echo(f"Taken: {chosen.step} ({chosen.detail})")
    click.echo(f"Gate: {decision.outcome}; {len(changed)} of {decision.unseen.n} change class")
    if report is not None:
        click.echo(f"Report: {report / 'gate.html'}")
    click.echo(f"Model: {out} ({len(result.model.content) / 1e6:.2f} MB)")
    note(f"Next: blastscope classify IMAGE --model {shlex.quote(str(out))}")


def _tell(line: str, attempt: Attempt | None) -> None:
    """Say what is being tried, and what came of it."""
    if attempt is None:
        note(f"{line.capitalize()} ...")
        return
    changed = attempt.decision.unseen
    note(f"{line}: {attempt.decision.outcome}, {len(changed.flipped)} of {changed.n} change class")
