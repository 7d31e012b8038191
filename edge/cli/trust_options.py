"""What the commands about keys and signatures share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from edge.cli.options import PATH

_Function = TypeVar("_Function", bound=Callable[..., Any])


def trust_option(function: _Function) -> _Function:
    """Add --trust. BLASTSCOPE_TRUST, which every command heeds, is read in `edge.trust`."""
    return click.option(
        "--trust",
        type=PATH,
        help="Folder of trusted public keys.  [env var: BLASTSCOPE_TRUST; default: "
        "/etc/blastscope/trust, where there is one]",
    )(function)


def ask_passphrase() -> str:
    """Ask for a key's passphrase on the terminal, without showing it."""
    return str(click.prompt("Passphrase of the key", hide_input=True, err=True))
