"""Entry point of the `blastscope` command."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

import click

from edge import __version__
from edge.cli.lazy_group import LazyGroup
from edge.errors import INSTALL_EXTRAS, BlastscopeError, MissingPackageError
from edge.labels import DISCLAIMER

#: Each command's module and one-line help, in the order in which a newcomer meets them.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("quantize.cli.demo", "Run the whole path on simulated smears and show it on a page."),
    "audit": ("train.cli.audit", "Look an image set over, and what shortcuts score on it."),
    "split": ("train.cli.split", "Divide an image set so that nothing leaks, as files."),
    "train": ("train.cli.train", "Train a network on a folder of images."),
    "evaluate": ("train.cli.evaluate", "Score a float or int8 model on labelled images."),
    "reproduce": ("edge.cli.reproduce", "Make a paper's table again, and show what it is worth."),
    "study": ("train.cli.study", "Train or fit in several ways and compare them."),
    "robustness": ("train.cli.robustness", "Degrade images and see how far models follow."),
    "quantize": ("quantize.cli.quantize", "Turn a run into one int8 file, if it is as good."),
    "precisions": ("quantize.cli.precisions", "Write a run in every precision, to compare."),
    "pack": ("quantize.cli.pack", "Give a plain TFLite file its labels and card."),
    "inspect": ("edge.cli.inspect", "Show what a model file says about itself."),
    "verify": ("edge.cli.verify", "Check a model file, its signature and its golden frames."),
    "keys": ("edge.cli.keys", "Make keys to sign models with, and say whose are trusted."),
    "sign": ("edge.cli.sign", "Sign a model file."),
    "quality": ("edge.cli.quality", "Say whether images are fit to be classified."),
    "classify": ("edge.cli.classify", "Classify image files."),
    "specimen": ("edge.cli.specimen", "Answer for one specimen from its fields."),
    "cells": ("edge.cli.cells", "Find the white cells of fields: boxes, drawings, crops."),
    "calibrate": ("edge.cli.calibrate", "Measure an empty place, to judge light against."),
    "watch": ("edge.cli.watch", "Classify frames from a camera as they come."),
    "choose": ("edge.cli.choose", "Choose the model and threads that suit this machine."),
    "bench": ("edge.cli.bench", "Compare models: speed, accuracy, memory, precision."),
    "doctor": ("edge.cli.doctor", "Check this machine and say how to mend what is wrong."),
}

#: Commands of two words, which have nothing to do with the command of the first.
LONGER_COMMANDS: dict[tuple[str, str], str] = {("train", "head"): "quantize.cli.head"}

_EPILOG = f"""\b
The way from your images to a Pi:
  blastscope train mobilenet-v2 --data IMAGES --out run
  blastscope quantize run --out model.tflite
  blastscope classify field.jpg --model model.tflite

{DISCLAIMER}"""


@click.command(
    cls=LazyGroup,
    modules=COMMANDS,
    longer=LONGER_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="blastscope")
def cli() -> None:
    """Screen blood-smear microscopy for acute lymphoblastic leukemia, at the edge.

    Train two networks on labelled fields of view, turn them into int8 TFLite files that are
    proven to be as good, and classify frames on a Raspberry Pi with no network.
    """


def run(arguments: Sequence[str] | None = None, command: click.Command = cli) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: the words after the command's name; None takes the process's own.
        command: what to run.

    Returns:
        0 for success, 1 for a check that failed, 2 for bad input or use, 70 for a fault of
        blastscope's own, 130 after Ctrl-C, 141 where the reader of a pipe has gone.
    """
    try:
        result = command.main(
            None if arguments is None else list(arguments),
            prog_name="blastscope" if command is cli else None,
            standalone_mode=False,
        )
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("Stopped.")
        return 130
    except BlastscopeError as error:
        _say(f"Error: {error}")
        return error.exit_code
    except SystemExit:
        # How click ends a command whose output goes into a closed pipe, as `| head` leaves it.
        return 141
    except ImportError as error:
        missing = _missing_package(error)
        _say(f"Error: {missing}")
        return missing.exit_code
    except OSError as error:
        # Of the system, such as a full disk under a redirected standard output.
        advice = "Free some space" if error.errno == errno.ENOSPC else "Check the path and rights"
        _say(f"Error: {error.strerror or error}: {error.filename or 'output'}. {advice}.")
        return 2
    except Exception as error:
        _say(
            f"Error: blastscope itself has failed. Got: {type(error).__name__}: {error}. "
            "Run it again with BLASTSCOPE_TRACEBACK=1 and report what it prints."
        )
        return 70
    return result if isinstance(result, int) else 0


def _missing_package(error: ImportError) -> MissingPackageError:
    """Tell a package of the base install that is broken from an extra that is not there."""
    if isinstance(error, ModuleNotFoundError) and error.name not in ("cv2", "numpy"):
        return MissingPackageError(
            "This command needs packages that the base install leaves out",
            got=f"no module named {error.name}",
            next_step=INSTALL_EXTRAS,
        )
    return MissingPackageError(
        "The packages of the base install must load",
        got=f"{type(error).__name__}: {error}",
        next_step="Run `blastscope doctor`",
    )


def _say(message: str) -> None:
    click.echo(message, err=True)
    if os.environ.get("BLASTSCOPE_TRACEBACK"):
        import traceback

        traceback.print_exc()


def _ready_streams() -> None:
    """Make sure that there are standard streams, and that they take any character.

    A process may be started with some of them closed; files that it opens would then take their
    numbers, and get what is printed. A terminal may know fewer characters than a path has.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _ready_streams()
    sys.exit(run())
