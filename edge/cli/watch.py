"""blastscope watch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edge.cli.camera_options import camera_arguments, camera_options
from edge.cli.options import (
    StopRequest,
    calibration_option,
    json_option,
    model_option,
    stop_on_signals,
    threads_option,
)
from edge.cli.specimen_options import given, specimen_options
from edge.labels import DISCLAIMER


@click.command(
    "watch",
    epilog="""\b
Examples:
  blastscope watch --camera picamera2 --lock-exposure
  blastscope watch --camera usb --source /dev/video0 --model fast
  blastscope watch --camera usb --calibration station.json --specimen
  blastscope watch --camera mjpeg --source http://microscope.local:8080/stream
  blastscope watch --camera replay --source fields/ --json
  blastscope watch --camera simulated --frames 10 --model model.tflite""",
)
@camera_options
@click.option("--frames", type=click.IntRange(min=1), help="Stop after so many frames.")
@click.option(
    "--specimen",
    "of_specimen",
    is_flag=True,
    help="All frames are of one specimen: say how many more fields it takes, and answer for it.",
)
@specimen_options
@calibration_option
@model_option
@threads_option
@json_option
def command(
    kind: str,
    timeout_s: float,
    frames: int | None,
    of_specimen: bool,
    benign_share: float | None,
    malignant_share: float | None,
    most_fields: int | None,
    design_effect: float | None,
    correlation: float | None,
    calibration_path: Path | None,
    model_path: Path,
    threads: int | None,
    as_json: bool,
    **camera_words: Any,
) -> None:
    """Classify frames from a camera as they come.

    Of a live camera the newest frame counts. One that is silent, hangs, is unplugged, or delivers
    nothing but black frames, one same frame or frames of another size, is noticed within the
    timeout and opened again until it works; such frames are not classified. Recordings are
    classified whole. Where the disk under the results is full, they wait for room. A lamp, a white
    balance or a focus that drifts is told before results suffer.

    With --json, one line per frame: sequence, captured_s (monotonic seconds), skipped, label,
    decision (result, repeat or refer), reasons, instructions, likely (every class that is likely
    enough), scores, timing_ms, wall_clock and model; and a line with `event` ("fault" or
    "recovered"), fault, message, at_s, outage_s and wall_clock for each fault of the camera, the
    disk or the model's file and its end; and one with `event` ("drift" or "drift-ended") for each
    drift. With --specimen each frame has specimen (counted, answer, more_fields) as well, and the
    last line has `event` ("specimen") and what `blastscope specimen --json` prints. Ctrl-C and
    SIGTERM finish the frame in hand and print the counts.
    """
    from edge.cameras import open_camera
    from edge.cameras.supervised import SupervisedCamera
    from edge.classifier import Classifier
    from edge.cli.watch_session import WatchSession
    from edge.quality.calibration import read_calibration
    from edge.specimen import Specimen, SpecimenRule
    from edge.watching import watch

    rule_words = given(
        {
            "benign_share": benign_share,
            "malignant_share": malignant_share,
            "most_fields": most_fields,
            "design_effect": design_effect,
            "correlation": correlation,
        }
    )
    if rule_words and not of_specimen:
        raise click.UsageError(f"--{next(iter(rule_words)).replace('_', '-')} needs --specimen.")
    rule = SpecimenRule(**rule_words)
    arguments = camera_arguments(kind, **camera_words)
    calibration = None if calibration_path is None else read_calibration(calibration_path)
    stop_on_signals()
    stop = StopRequest()
    camera = SupervisedCamera(lambda: open_camera(kind, **arguments), timeout_s)
    session = WatchSession(camera, as_json, sys.stdout, sys.stderr)
    try:
        with Classifier.load(model_path, threads, calibration) as classifier, camera:
            specimen = Specimen(classifier.model, rule) if of_specimen else None
            session.begin(classifier, calibration, specimen)
            session.note(f"Watching {camera.name} with {classifier.model.model_id}. {DISCLAIMER}")
            stop.listen()
            for watched in watch(
                camera,
                classifier,
                frames,
                counts=session.counts,
                on_event=session.tell_fault,
                should_stop=lambda: session.look_around() or stop.is_made,
            ):
                session.tell_frame(watched)
            for path in camera.unreadable:
                session.note(f"Could not be read, and was passed over: {path}")
        # What the camera went through while the last frames were dealt with, and it was closed.
        for event in camera.log.take_events():
            session.tell_fault(event)
        if stop.is_made:
            session.note("Stopped.")
    except KeyboardInterrupt:
        session.note("Stopped.")
    finally:
        session.tell_counts()
    session.require_written()
