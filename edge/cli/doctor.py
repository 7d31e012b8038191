"""blastscope doctor."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import MODEL, json_option, print_json
from edge.shipped_models import DEFAULT_MODEL

_MARKS = {"ok": ("ok   ", "green"), "note": ("note ", "yellow"), "wrong": ("WRONG", "red")}


@click.command(
    "doctor",
    epilog="""\b
Examples:
  blastscope doctor
  blastscope doctor --model model.tflite --json""",
)
@click.option(
    "--model",
    "model_path",
    type=MODEL,
    default=DEFAULT_MODEL,
    show_default=True,
    envvar="BLASTSCOPE_MODEL",
    show_envvar=True,
    help="A model to load and run once.",
)
@json_option
def command(model_path: Path, as_json: bool) -> None:
    """Check Python, OpenCV, the TFLite runtime, cameras and model, with a fix for what is wrong.

    The exit code is 1 if anything is wrong.
    """
    from dataclasses import asdict

    from edge.doctor import examine

    findings = examine(model_path)
    if as_json:
        print_json([asdict(finding) for finding in findings], indent=2)
    else:
        for finding in findings:
            mark, colour = _MARKS[finding.state]
            click.echo(f"{click.style(mark, fg=colour)}  {finding.check:<14}  {finding.found}")
            if finding.fix:
                click.echo(f"{'':23}-> {finding.fix}")
    if any(finding.state == "wrong" for finding in findings):
        click.get_current_context().exit(1)
