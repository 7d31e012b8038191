"""A group of commands that imports a command's module only when the command is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NoReturn

import click


class LazyGroup(click.Group):
    """Commands by the name of the module that holds each, as `command`.

    Modules are named, not imported: `edge` imports neither `train` nor `quantize`, and `--help`
    waits for no library.

    Args:
        modules: each command's module and one-line help, in the order of the help.
        longer: modules of commands of two words, which have nothing to do with the command of the
            first.
        unknown: raises what is to be said of a command that is not there; None leaves it to click.
    """

    def __init__(
        self,
        *arguments: Any,
        modules: Mapping[str, tuple[str, str]],
        longer: Mapping[tuple[str, str], str] | None = None,
        unknown: Callable[[str], NoReturn] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._modules = modules
        self._longer = longer or {}
        self._unknown = unknown

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of that name."""
        if cmd_name not in self._modules:
            if self._unknown is not None and not cmd_name.startswith("-"):
                self._unknown(cmd_name)
            return None
        module, _ = self._modules[cmd_name]
        command: click.Command = import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that a command line begins with, of two words before one of one."""
        module = self._longer.get((args[0], args[1])) if len(args) > 1 else None
        if module is None:
            return super().resolve_command(ctx, args)
        command: click.Command = import_module(module).command
        return f"{args[0]} {args[1]}", command, args[2:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._modules.items()])
