"""Entry point of the `blastscope` command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from edge import __version__
from edge.errors import BlastscopeError, MissingPackageError
from edge.labels import DISCLAIMER

#: Each command's module and one-line help, in the order in which a newcomer meets them.
#: Modules are named, not imported: `edge` imports neither `train` nor `quantize`, and `--help`
#: waits for no library.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("quantize.cli.demo", "Run the whole path on simulated smears and show it on a page."),
    "train": ("train.cli.train", "Train a network on a folder of images."),
    "evaluate": ("train.cli.evaluate", "Score a float or int8 model on labelled images."),
    "quantize": ("quantize.cli.quantize", "Turn a run into one int8 file, if it is as good."),
    "pack": ("quantize.cli.pack", "Give a plain TFLite file its labels and card."),
    "classify": ("edge.cli.classify", "Classify image files."),
    "watch": ("edge.cli.watch", "Classify frames from a camera as they come."),
    "bench": ("edge.cli.bench", "Time classification against the bare interpreter."),
    "doctor": ("edge.cli.doctor", "Check this machine and say how to mend what is wrong."),
}

_EPILOG = f"""\b
The way from your images to a Pi:
  blastscope train mobilenet-v2 --data IMAGES --out run
  blastscope quantize run --out model.tflite
  blastscope classify field.jpg --model model.tflite

{DISCLAIMER}"""


class _Commands(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = import_module(module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=_Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="blastscope")
def cli() -> None:
    """Screen blood-smear microscopy for acute lymphoblastic leukemia, at the edge.

    Train two networks on labelled fields of view, turn them into int8 TFLite files that are
    proven to be as good, and classify frames on a Raspberry Pi with no network.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the words after `blastscope`; None takes the process's own.

    Returns:
        0 for success, 1 for a check that failed, 2 for bad input or use, 70 for a fault of
        blastscope's own, 130 after Ctrl-C.
    """
    try:
        result = cli.main(
            None if arguments is None else list(arguments),
            prog_name="blastscope",
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
    except ModuleNotFoundError as error:
        missing = MissingPackageError(
            "This command needs packages that the base install leaves out",
            got=f"no module named {error.name}",
            next_step="Install them with `pip install 'blastscope[train,quantize]'`",
        )
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


def _say(message: str) -> None:
    click.echo(message, err=True)
    if os.environ.get("BLASTSCOPE_TRACEBACK"):
        import traceback

        traceback.print_exc()


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())
