"""Options of the commands that take frames from a camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from edge.cameras import CAMERA_KINDS

_Function = TypeVar("_Function", bound=Callable[..., Any])


def camera_options(function: _Function) -> _Function:
    """Add --camera, --source, --width, --height, --seed, --rate, --lock-exposure and --timeout."""
    options = (
        click.option(
            "--camera",
            "kind",
            type=click.Choice(CAMERA_KINDS),
            required=True,
            help="The Pi's camera connector, a USB camera, a network camera, a recording, or the "
            "simulated microscope.",
        ),
        click.option(
            "--source",
            help="Which one: the camera's number (picamera2), its number or device (usb), an "
            "address of HTTP (mjpeg), a folder of images, one image or a video (replay), a class "
            "to show (simulated).",
        ),
        click.option(
            "--width",
            type=click.IntRange(min=1),
            default=640,
            show_default=True,
            help="Asked of the camera, in pixels.",
        ),
        click.option(
            "--height",
            type=click.IntRange(min=1),
            default=480,
            show_default=True,
            help="Asked of the camera, in pixels.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0, 2**32 - 1),
            default=0,
            show_default=True,
            help="Of the simulated microscope.",
        ),
        click.option(
            "--rate",
            type=click.FloatRange(min=0.0, min_open=True),
            help="Frames a second of the simulated microscope, which is then live; if left out, it "
            "draws one frame after the other.",
        ),
        click.option(
            "--lock-exposure",
            is_flag=True,
            help="Measure exposure, gain and white balance at the start, on an empty field, and "
            "keep them (picamera2).",
        ),
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(min=0.0, min_open=True),
            default=3.0,
            show_default=True,
            help="A live camera without a frame for so many seconds is opened again.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def camera_arguments(
    kind: str,
    source: str | None,
    width: int,
    height: int,
    seed: int,
    rate: float | None,
    lock_exposure: bool,
) -> dict[str, Any]:
    """Return the arguments of `edge.cameras.open_camera` for what those options said.

    Raises:
        click.UsageError: they do not go together.
    """
    if lock_exposure and kind != "picamera2":
        raise click.UsageError("--lock-exposure is for --camera picamera2.")
    size = {"width": width, "height": height}
    if kind == "replay":
        if not source:
            raise click.UsageError("--camera replay needs --source: a folder or a video file.")
        return {"path": source}
    if kind == "mjpeg":
        if not source:
            raise click.UsageError("--camera mjpeg needs --source: an address of HTTP.")
        return {"url": source}
    if kind == "simulated":
        return {"label": source, "seed": seed, "frames_per_s": rate, **size}
    if kind == "picamera2":
        if source is not None and not source.isdecimal():
            raise click.UsageError("--camera picamera2 takes a number as --source, such as 0.")
        arguments: dict[str, Any] = {"index": int(source or 0), **size}
        if lock_exposure:
            from edge.cameras.exposure import ExposureLock

            # One for all openings: a camera that comes back must not measure on a smear.
            arguments["lock"] = ExposureLock()
        return arguments
    return {"device": source or 0, **size}
