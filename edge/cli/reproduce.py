"""blastscope reproduce."""

from __future__ import annotations

from typing import NoReturn

import click

from edge.cli.lazy_group import LazyGroup
from edge.errors import TrainingError

#: Each paper's module and one-line help. One that has int8 figures too lies in `quantize`.
PAPERS: dict[str, tuple[str, str]] = {
    "tamim2025": (
        "train.cli.reproduce_tamim2025",
        "Four classes of fields: MobileNetV2 and a custom CNN.",
    ),
    "cnmc": (
        "quantize.cli.reproduce_cnmc",
        "Single cells of C-NMC 2019: random splits and unseen subjects, float and int8.",
    ),
}


def _refuse(key: str) -> NoReturn:
    raise TrainingError(
        f"The papers that can be reproduced are {', '.join(PAPERS)}",
        got=key,
        next_step="Choose one of them",
    )


@click.command(
    "reproduce",
    cls=LazyGroup,
    modules=PAPERS,
    unknown=_refuse,
    epilog="""\b
Examples:
  blastscope reproduce tamim2025 images --out tamim2025
  blastscope reproduce cnmc C-NMC --out cnmc

\b
The same command goes on with a study that was stopped, and prints a finished one again.""",
)
def command() -> None:
    """Make a paper's table again, and show beside it what its figures are worth."""
