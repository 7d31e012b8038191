"""Frames from a camera, classified as they come."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from edge.cameras.base import Frame
from edge.cameras.faults import CameraEvent
from edge.cameras.supervised import SupervisedCamera
from edge.classifier import Classifier
from edge.errors import FrameError
from edge.prediction import Prediction

# How soon a request to stop, or a camera's fault, is seen while no frame comes, in seconds.
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class WatchedFrame:
    """A frame, and what the classifier says about it.

    Attributes:
        frame: as the camera gave it.
        prediction: the result.
        wait_ms: milliseconds from asking the camera to having the frame.
        wall_clock: UTC time of the result by the system's clock, which on a Pi may be wrong, and
            may jump; order and durations come from the frame's number and monotonic time.
    """

    frame: Frame
    prediction: Prediction
    wait_ms: float
    wall_clock: datetime


@dataclass
class WatchCounts:
    """What became of the frames of one watch.

    `captured` is always the sum of `classified`, `skipped` and `failed` once the camera is closed.

    Attributes:
        labels: classified frames by their class.
        unclassified: frames that the classifier refused.
        captured: frames that the camera delivered, or knows to be lost.
        skipped: frames lost, or passed over for a newer one.
        refused: frames that no working camera delivers: black, repeated, of another size.
    """

    labels: Counter[str] = field(default_factory=Counter)
    unclassified: int = 0
    captured: int = 0
    skipped: int = 0
    refused: int = 0

    @property
    def classified(self) -> int:
        """Frames with a result."""
        return self.labels.total()

    @property
    def failed(self) -> int:
        """Frames that were delivered, and of which there is no result."""
        return self.refused + self.unclassified

    def take_over(self, camera: SupervisedCamera) -> None:
        """Copy what the camera has counted so far."""
        self.captured = camera.newest.captured
        self.skipped = camera.newest.skipped
        self.refused = camera.newest.refused


def watch(
    camera: SupervisedCamera,
    classifier: Classifier,
    limit: int | None = None,
    *,
    counts: WatchCounts | None = None,
    on_event: Callable[[CameraEvent], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[WatchedFrame]:
    """Classify frames until a recording ends, the limit is reached, or a stop is asked for.

    The camera captures meanwhile, in its own thread. A live camera's faults end nothing: they are
    told, and frames go on once it works again. Every frame taken is either yielded or counted.

    Args:
        camera: an open camera.
        classifier: a loaded model.
        limit: the most frames to classify; None means no limit.
        counts: counts frames as they are classified; the camera's own are added with `take_over`
            once it is closed.
        on_event: called in this thread with each fault and recovery, in order.
        should_stop: asked several times a second.
        clock: tells the wall-clock time in UTC.

    Raises:
        CameraError: a recording cannot be read.
    """
    counts = counts or WatchCounts()
    while (limit is None or counts.classified < limit) and not should_stop():
        started = time.perf_counter()
        frame = None
        while frame is None and not camera.has_ended and not should_stop():
            frame = camera.poll(_LOOK_S)
            for event in camera.log.take_events():
                on_event(event)
        if frame is None:
            return
        waited = time.perf_counter()
        try:
            prediction = classifier.classify(frame.pixels)
        except FrameError:
            counts.unclassified += 1
            continue
        counts.labels[prediction.label] += 1
        yield WatchedFrame(frame, prediction, (waited - started) * 1000, clock())
