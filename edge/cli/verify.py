"""blastscope verify."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import MODEL, json_option, print_json
from edge.cli.trust_options import trust_option

_MARKS = {"ok": ("ok         ", "green"), "failed": ("FAILED     ", "red")}
_NOT_CHECKED = ("not checked", "yellow")


@click.command(
    "verify",
    epilog="""\b
Examples:
  blastscope verify model.tflite
  blastscope verify model.tflite --trust keys --json""",
)
@click.argument("model", type=MODEL)
@trust_option
@json_option
def command(model: Path, trust: Path | None, as_json: bool) -> None:
    """Check a model file: its archive, schema, hashes, signature, version and golden frames.

    Golden frames are run on this machine, and their outputs compared bit for bit. The exit code is
    1 if any check failed. A signature is checked where there is a trust store: --trust,
    BLASTSCOPE_TRUST, or /etc/blastscope/trust.
    """
    from dataclasses import asdict

    from edge.trust import TrustStore
    from edge.verification import verify_model

    outcomes = verify_model(model, None if trust is None else TrustStore(trust))
    if as_json:
        print_json([asdict(outcome) for outcome in outcomes], indent=2)
    else:
        width = max(len(outcome.check) for outcome in outcomes)
        for outcome in outcomes:
            mark, colour = _MARKS.get(outcome.state, _NOT_CHECKED)
            styled = click.style(mark, fg=colour)
            click.echo(f"{styled}  {outcome.check:<{width}}  {outcome.found}")
    if any(outcome.state == "failed" for outcome in outcomes):
        click.get_current_context().exit(1)
