"""blastscope watch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edge.cameras import CAMERA_KINDS
from edge.cli.options import (
    StopRequest,
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
  blastscope watch --camera picamera2 --lock-exposure
  blastscope watch --camera usb --source /dev/video0 --model fast
  blastscope watch --camera mjpeg --source http://microscope.local:8080/stream
  blastscope watch --camera replay --source fields/ --json
  blastscope watch --camera simulated --frames 10 --model model.tflite""",
)
@click.option(
    "--camera",
    "kind",
    type=click.Choice(CAMERA_KINDS),
    required=True,
    help="The Pi's camera connector, a USB camera, a network camera, a recording, or the simulated "
    "microscope.",
)
@click.option(
    "--source",
    help="Which one: the camera's number (picamera2), its number or device (usb), an address of "
    "HTTP (mjpeg), a folder of images or a video (replay), a class to show (simulated).",
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
@click.option(
    "--rate",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Frames a second of the simulated microscope, which is then live; if left out, it draws "
    "one frame after the other.",
)
@click.option(
    "--lock-exposure",
    is_flag=True,
    help="Measure exposure, gain and white balance at the start, on an empty field, and keep them "
    "(picamera2).",
)
@click.option("--frames", type=click.IntRange(min=1), help="Stop after so many frames.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.0, min_open=True),
    default=3.0,
    show_default=True,
    help="A live camera without a frame for so many seconds is opened again.",
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
    rate: float | None,
    lock_exposure: bool,
    frames: int | None,
    timeout_s: float,
    model_path: Path,
    threads: int | None,
    as_json: bool,
) -> None:
    """Classify frames from a camera as they come.

    Of a live camera the newest frame counts. One that is silent, hangs, is unplugged, or delivers
    nothing but black frames, one same frame or frames of another size, is noticed within the
    timeout and opened again until it works; such frames are not classified. Recordings are
    classified whole.

    With --json, one line per frame: sequence, captured_s (monotonic seconds), skipped, label,
    decision (result, repeat or refer), reasons, instructions, scores, timing_ms, wall_clock and
    model; and a line with `event` ("fault" or "recovered"), fault, message, at_s, outage_s and
    wall_clock for each fault of the camera and its end. Ctrl-C and SIGTERM finish the frame in hand
    and print the counts.
    """
    from edge.cameras import open_camera
    from edge.cameras.supervised import SupervisedCamera
    from edge.classifier import Classifier
    from edge.watching import WatchCounts, watch

    if lock_exposure and kind != "picamera2":
        raise click.UsageError("--lock-exposure is for --camera picamera2.")
    options = _camera_options(kind, source, width, height, seed, rate)
    if lock_exposure:
        from edge.cameras.exposure import ExposureLock

        # One for all openings: a camera that comes back must not measure on a smear.
        options["lock"] = ExposureLock()
    stop_on_signals()
    stop = StopRequest()
    counts = WatchCounts()
    camera = SupervisedCamera(lambda: open_camera(kind, **options), timeout_s)
    try:
        with Classifier.load(model_path, threads) as classifier, camera:
            note(f"Watching {camera.name} with {classifier.model.model_id}. {DISCLAIMER}")
            stop.listen()
            for watched in watch(
                camera,
                classifier,
                frames,
                counts=counts,
                on_event=lambda event: _tell(event, as_json),
                should_stop=lambda: stop.is_made,
            ):
                if as_json:
                    print_json(_as_json(watched))
                else:
                    click.echo(_describe(watched))
            for path in camera.unreadable:
                note(f"Could not be read, and was passed over: {path}")
        # What the camera went through while the last frames were dealt with, and it was closed.
        for event in camera.log.take_events():
            _tell(event, as_json)
        if stop.is_made:
            note("Stopped.")
    except KeyboardInterrupt:
        note("Stopped.")
    finally:
        counts.take_over(camera)
        if counts.captured or camera.log.faults:
            _tell_counts(counts, camera.log)


def _tell_counts(counts: Any, log: Any) -> None:
    """Say what became of the frames, and what went wrong with the camera."""
    shares = ", ".join(f"{label} {count}" for label, count in sorted(counts.labels.items()))
    note(
        f"{counts.classified} frames classified ({shares or 'none'}), {counts.skipped} skipped, "
        f"{counts.failed} failed, of {counts.captured} captured."
    )
    for title, counted in (
        ("Decisions", counts.decisions),
        ("Refused frames", log.refused),
        ("Camera faults", log.faults),
    ):
        if counted:
            each = ", ".join(f"{fault} {count}" for fault, count in sorted(counted.items()))
            note(f"{title}: {each}.")
    if log.faults:
        note(f"Recovered {log.recoveries} times.")


def _tell(event: Any, as_json: bool) -> None:
    """Tell a fault of the camera, or its end."""
    if not as_json:
        note(f"Camera {event.kind}: {event.fault}. {event.message}")
        return
    print_json(
        {
            "event": event.kind,
            "fault": event.fault,
            "message": event.message,
            "at_s": event.at_s,
            "outage_s": event.outage_s,
            "wall_clock": datetime.now(UTC).isoformat(),
        }
    )


def _camera_options(
    kind: str, source: str | None, width: int, height: int, seed: int, rate: float | None
) -> dict[str, Any]:
    """Return the arguments of a camera's class."""
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
