"""blastscope watch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from edge.cameras import CAMERA_KINDS
from edge.cli.options import (
    json_option,
    model_option,
    note,
    percent,
    print_json,
    say_decision,
    stop_on_signals,
    threads_option,
)
from edge.labels import DISCLAIMER


@click.command(
    "watch",
    epilog="""\b
Examples:
  blastscope watch --camera picamera2
  blastscope watch --camera usb --source /dev/video0 --model fast
  blastscope watch --camera replay --source fields/ --json
  blastscope watch --camera simulated --frames 10 --model model.tflite""",
)
@click.option(
    "--camera",
    "kind",
    type=click.Choice(CAMERA_KINDS),
    required=True,
    help="The Pi's camera connector, a USB camera, a recording, or the simulated microscope.",
)
@click.option(
    "--source",
    help="Which one: the camera's number (picamera2), its number or device (usb), a folder of "
    "images or a video (replay), a class to show (simulated).",
)
@click.option(
    "--width",
    type=click.IntRange(min=1),
    default=640,
    show_default=True,
    help="Asked of the camera, in pixels.",
)
@click.option(
    "--height",
    type=click.IntRange(min=1),
    default=480,
    show_default=True,
    help="Asked of the camera, in pixels.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of the simulated microscope.",
)
@click.option("--frames", type=click.IntRange(min=1), help="Stop after so many frames.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.0, min_open=True),
    default=3.0,
    show_default=True,
    help="Longest wait for a frame in seconds.",
)
@model_option
@threads_option
@json_option
def command(
    kind: str,
    source: str | None,
    width: int,
    height: int,
    seed: int,
    frames: int | None,
    timeout_s: float,
    model_path: Path,
    threads: int | None,
    as_json: bool,
) -> None:
    """Classify frames from a camera as they come.

    With --json, one line per frame: sequence, captured_s (monotonic seconds), skipped, label,
    decision (result, repeat or refer), reasons, instructions, scores and timing_ms. Ctrl-C ends it
    cleanly.
    """
    from edge.cameras import open_camera
    from edge.classifier import Classifier
    from edge.watching import watch

    options = _camera_options(kind, source, width, height, seed)
    stop_on_signals()
    counts: Counter[str] = Counter()
    skipped = 0
    try:
        with (
            Classifier.load(model_path, threads) as classifier,
            open_camera(kind, **options) as camera,
        ):
            note(f"Watching {camera.name} with {classifier.model.model_id}. {DISCLAIMER}")
            for watched in watch(camera, classifier, frames, timeout_s):
                counts[watched.prediction.label] += 1
                skipped += watched.frame.skipped
                if as_json:
                    print_json(_as_json(watched))
                else:
                    click.echo(_describe(watched))
            for path in camera.unreadable:
                note(f"Could not be read, and was passed over: {path}")
    except KeyboardInterrupt:
        note("Stopped.")
    finally:
        if counts:
            shares = ", ".join(f"{label} {count}" for label, count in sorted(counts.items()))
            note(f"{counts.total()} frames classified ({shares}), {skipped} skipped.")


def _camera_options(
    kind: str, source: str | None, width: int, height: int, seed: int
) -> dict[str, Any]:
    """Return the arguments of a camera's class."""
    size = {"width": width, "height": height}
    if kind == "replay":
        if not source:
            raise click.UsageError("--camera replay needs --source: a folder or a video file.")
        return {"path": source}
    if kind == "simulated":
        return {"label": source, "seed": seed, **size}
    if kind == "picamera2":
        if source is not None and not source.isdecimal():
            raise click.UsageError("--camera picamera2 takes a number as --source, such as 0.")
        return {"index": int(source or 0), **size}
    return {"device": source or 0, **size}


def _as_json(watched: Any) -> dict[str, Any]:
    frame, prediction = watched.frame, watched.prediction
    row = {
        "sequence": frame.sequence,
        "captured_s": frame.captured_s,
        "skipped": frame.skipped,
        **prediction.as_json(),
    }
    row["timing_ms"] = {"wait": watched.wait_ms, **prediction.timing_ms}
    row["wall_clock"] = watched.wall_clock.isoformat()
    return row


def _describe(watched: Any) -> str:
    prediction = watched.prediction
    scores = "  ".join(f"{label} {percent(score)}" for label, score in prediction.scores.items())
    total_ms = sum(prediction.timing_ms.values())
    line = f"{watched.frame.sequence:>6}  {prediction.label:<8}  {scores}  {total_ms:6.1f} ms"
    return line + say_decision(prediction.decision, prediction.reasons)
