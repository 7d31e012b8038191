"""blastscope choose."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from edge.cli.options import MODEL, PATH, json_option, note, print_json, progress_bar, table
from edge.shipped_models import SHIPPED_MODELS, shipped_model

#: What the number of threads is called where the environment gives it.
THREADS_VARIABLE = "BLASTSCOPE_THREADS"


@click.command(
    "choose",
    epilog="""\b
Examples:
  blastscope choose
  blastscope choose --rate 5 --width 1280 --height 960
  blastscope choose --model model.tflite --env choice.env""",
)
@click.option(
    "--model",
    "model_paths",
    type=MODEL,
    multiple=True,
    help="A model to try; may be given several times.  [default: all that come along]",
)
@click.option(
    "--rate",
    metavar="FRAMES",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Frames a second to keep up with.",
)
@click.option("--width", type=click.IntRange(min=1), default=640, show_default=True)
@click.option("--height", type=click.IntRange(min=1), default=480, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How long each model is tried at each number of threads.",
)
@click.option("--env", type=PATH, help=f"Write {THREADS_VARIABLE} there, as a service reads it.")
@click.option("--path", "path_only", is_flag=True, help="Print the chosen model's file alone.")
@json_option
def command(
    model_paths: tuple[Path, ...],
    rate: float,
    width: int,
    height: int,
    seconds: float,
    env: Path | None,
    path_only: bool,
    as_json: bool,
) -> None:
    """Try models on this machine, and choose one and its number of threads.

    Chosen is the most accurate model, by its own card, that classifies nine in ten simulated
    frames within the time that the camera leaves; if none does, the fastest. Of the numbers of
    threads it is the lowest that is within a tenth of the best. `--model` and `--threads` of the
    other commands still have the last word.
    """
    from edge.bench.choice import choose, try_models
    from edge.bench.environment import available_cores, describe_machine
    from edge.output import whole_file
    from edge.smear import render_field

    models = model_paths or tuple(shipped_model(name) for name in SHIPPED_MODELS)
    machine = describe_machine(Path("/"))
    counts = range(1, min(4, available_cores()) + 1)
    frame = render_field("Early", 0, width=width, height=height)
    with progress_bar("Trying models") as show:
        trials = try_models(models, frame, counts, seconds, show)
    chosen = choose(trials, rate)
    keeps_up = chosen.p90_ms <= 1000 / rate
    if env is not None:
        with whole_file(env) as temporary:
            temporary.write_text(
                "# Measured by `blastscope choose`; what is set elsewhere counts for more.\n"
                f"{THREADS_VARIABLE}={chosen.threads}\n",
                encoding="utf-8",
            )
    if as_json:
        print_json(
            {
                "board": machine.board,
                "cpu": machine.cpu,
                "cores": machine.cores,
                "frame": {"width": width, "height": height},
                "rate": rate,
                "trials": [asdict(trial) | {"model": str(trial.model)} for trial in trials],
                "chosen": {
                    "model": str(chosen.model),
                    "threads": chosen.threads,
                    "keeps_up": keeps_up,
                },
            },
            indent=2,
        )
        return
    if path_only:
        click.echo(chosen.model)
        return
    rows = [
        [
            trial.model.stem,
            "–" if trial.accuracy is None else f"{trial.accuracy:.2%}",
            str(trial.threads),
            f"{trial.p50_ms:.2f}",
            f"{trial.p90_ms:.2f}",
            f"{1000 / trial.p90_ms:.0f}",
            "chosen" if trial == chosen else "",
        ]
        for trial in trials
    ]
    header = ["model", "accuracy", "threads", "p50 ms", "p90 ms", "frames a second", ""]
    click.echo(f"{machine.board or machine.cpu}, {machine.cores} cores; {width} x {height} frames")
    click.echo(table(header, rows))
    said = "keeps up" if keeps_up else "is the fastest, and does not keep up"
    note(
        f"{chosen.model.stem} with --threads {chosen.threads} {said} with {rate:g} frames a second."
    )
