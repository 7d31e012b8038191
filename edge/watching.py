"""Frames from a camera, classified as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.cameras.base import Camera, Frame
from edge.classifier import Classifier
from edge.prediction import Prediction


@dataclass(frozen=True, slots=True)
class WatchedFrame:
    """A frame, and what the classifier says about it.

    Attributes:
        frame: as the camera gave it.
        prediction: the result.
        wait_ms: milliseconds from asking the camera to having the frame.
        wall_clock: UTC time of the result by the system's clock, which on a Pi may be wrong.
    """

    frame: Frame
    prediction: Prediction
    wait_ms: float
    wall_clock: datetime


def watch(
    camera: Camera, classifier: Classifier, limit: int | None = None, timeout_s: float = 3.0
) -> Iterator[WatchedFrame]:
    """Classify frames until the camera ends or the limit is reached.

    Args:
        camera: an open camera.
        classifier: a loaded model.
        limit: the most frames to classify; None means no limit.
        timeout_s: the longest wait for a frame in seconds.

    Raises:
        CameraError: no frame came within the time.
    """
    count = 0
    while limit is None or count < limit:
        started = time.perf_counter()
        frame = camera.read(timeout_s)
        if frame is None:
            return
        waited = time.perf_counter()
        prediction = classifier.classify(frame.pixels)
        count += 1
        yield WatchedFrame(frame, prediction, (waited - started) * 1000, datetime.now(UTC))
