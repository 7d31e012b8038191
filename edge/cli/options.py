"""Options and habits that the commands share."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.shipped_models import DEFAULT_MODEL, SHIPPED_MODELS, find_model

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: A path as the commands take it. Whether it exists is for the functions below to say, since their
#: messages name the next step.
PATH = click.Path(path_type=Path)


class _Model(click.Path):
    """A model's file, or the name of a model that comes with blastscope."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file."""
        path: Path = super().convert(value, param, ctx)  # type: ignore[assignment]
        return find_model(path)


#: A model's path, or the name of one that comes along.
MODEL = _Model()


def json_option(function: _Function) -> _Function:
    """Add --json to a command that reports."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON for machines; notes go to stderr."
    )(function)


def model_option(function: _Function) -> _Function:
    """Add --model, which BLASTSCOPE_MODEL sets for a whole station."""
    return click.option(
        "--model",
        "model_path",
        type=MODEL,
        default=DEFAULT_MODEL,
        show_default=True,
        envvar="BLASTSCOPE_MODEL",
        show_envvar=True,
        help="The one-file model that `blastscope quantize` wrote, or the name of one that comes "
        f"along: {', '.join(SHIPPED_MODELS)}.",
    )(function)


def threads_option(function: _Function) -> _Function:
    """Add --threads."""
    return click.option(
        "--threads",
        type=click.IntRange(min=1),
        envvar="BLASTSCOPE_THREADS",
        show_envvar=True,
        help="Cores for the network; every core if left out, four at most.",
    )(function)


def calibration_option(function: _Function) -> _Function:
    """Add --calibration."""
    return click.option(
        "--calibration",
        "calibration_path",
        type=PATH,
        help="What `blastscope calibrate` wrote, or an image of an empty place on this microscope: "
        "colour casts and drift are judged against it.",
    )(function)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON on standard output, at once."""
    click.echo(json.dumps(value, indent=indent, allow_nan=False))


def note(message: str) -> None:
    """Tell a person something on standard error, so that standard output stays for results."""
    click.echo(message, err=True)


def stop_on_signals() -> None:
    """Let Ctrl-C and a shutdown raise KeyboardInterrupt, however the process was started.

    A shell that starts a program in the background, as a script does with `&`, tells it to ignore
    Ctrl-C's signal; yet who sends it to a long-running command wants it to stop.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


class StopRequest:
    """Ctrl-C or a shutdown as something to look at, so that work in hand is finished first.

    The second one raises KeyboardInterrupt: a person who asks twice does not want to wait.

    Attributes:
        is_made: whether there was one.
    """

    def __init__(self) -> None:
        self.is_made = False

    def listen(self) -> None:
        """Take the signals from now on, however the process was started."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: object) -> None:
        if self.is_made:
            raise KeyboardInterrupt
        self.is_made = True


@contextmanager
def progress_bar(label: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error while a terminal is there to show it.

    Args:
        label: what is in progress.
        shown: False where the results themselves appear on the terminal line by line.

    Yields:
        A function to call with (done, in all).
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda done, total: None
        return
    with ExitStack() as stack:
        bar = stack.enter_context(click.progressbar(length=1, label=label, file=sys.stderr))

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)
            if done >= total:
                stack.close()

        yield show


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table in columns; the first is aligned left, the others right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, rows)])


def percent(share: float | None) -> str:
    """Write a share in [0, 1] as a percentage; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def say_decision(decision: str, reasons: Sequence[str]) -> str:
    """Write a decision behind a result's line; nothing where there is a result."""
    return "" if decision == "result" else f"  {decision.upper()}: {', '.join(reasons)}"


def accuracy_line(report: Mapping[str, Any]) -> str:
    """Write a report's accuracy with its n and interval."""
    low, high = report["accuracy_ci95"]
    return (
        f"accuracy {report['accuracy']:.2%} (n = {report['n']}, "
        f"95 % interval {low:.2%} to {high:.2%})"
    )
