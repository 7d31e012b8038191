"""blastscope calibrate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edge.cli.camera_options import camera_arguments, camera_options
from edge.cli.options import PATH, json_option, note, print_json, stop_on_signals
from edge.labels import DISCLAIMER


@click.command(
    "calibrate",
    epilog="""\b
Examples:
  blastscope calibrate --camera picamera2 --lock-exposure --out station.json
  blastscope calibrate --camera replay --source empty.png --out station.json
  blastscope watch --camera picamera2 --lock-exposure --calibration station.json""",
)
@camera_options
@click.option(
    "--out",
    type=PATH,
    required=True,
    help="File to keep the calibration in; one that is there is replaced.",
)
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    default=15,
    show_default=True,
    help="How many to take the median of; a recording may have fewer.",
)
@json_option
def command(
    kind: str, timeout_s: float, out: Path, frames: int, as_json: bool, **camera_words: Any
) -> None:
    """Measure the light on an empty place, once, for casts and drift to be judged against.

    Move to where the slide holds nothing, with the light as it is used. A place with cells, one
    that is too dark and one that is burnt out are refused, and what was kept before stays. Do it
    again when the lamp or the camera is changed. `watch`, `classify`, `specimen` and `quality` take
    the file as --calibration.

    With --json, what the file holds: format, camera, measured_at, frames and measures.
    """
    from edge.cameras import open_camera
    from edge.cameras.supervised import SupervisedCamera
    from edge.output import require_writable
    from edge.quality.calibration import measure_calibration

    arguments = camera_arguments(kind, **camera_words)
    require_writable(out)
    stop_on_signals()
    with SupervisedCamera(lambda: open_camera(kind, **arguments), timeout_s) as camera:
        taken = [frame.pixels for frame in camera.frames(frames, timeout_s)]
    calibration = measure_calibration(taken, camera.name, datetime.now(UTC).isoformat())
    calibration.write(out)
    if as_json:
        print_json(calibration.as_json())
        return
    quality = calibration.quality
    click.echo(
        f"lightness {quality.brightness:.0f} of 255, green to red {quality.green_red:+.1f}, blue "
        f"to yellow {quality.blue_yellow:+.1f}, {quality.clipped_white:.1%} white"
    )
    note(f"Wrote {out}. {DISCLAIMER}")
