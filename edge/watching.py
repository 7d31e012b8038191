"""Frames from a camera, classified as they come."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from edge.cameras.base import Frame
from edge.cameras.supervised import SupervisedCamera
from edge.classifier import Classifier
from edge.errors import FrameError
from edge.fault_log import FaultEvent
from edge.prediction import Prediction

# How soon a request to stop, or a camera's fault, is seen while no frame comes, in seconds.
_LOOK_S = 0.1
# How long the frame in hand may take when nobody wants its result any more, in seconds.
_ABANDON_S = 2.0


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
        decisions: classified frames by what was decided: "result", "repeat" or "refer".
        unclassified: frames that the classifier refused.
        captured: frames that the camera delivered, or knows to be lost.
        skipped: frames lost, or passed over for a newer one.
        refused: frames that no working camera delivers: black, repeated, of another size.
    """

    labels: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
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
    on_event: Callable[[FaultEvent], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[WatchedFrame]:
    """Classify frames until a recording ends, the limit is reached, or a stop is asked for.

    Of a live camera, capture and classification go on in threads of their own while the caller
    deals with a result. Nothing queues up: whoever is slow, the camera's frames are passed over for
    newer ones, and at most two results wait. A live camera's faults end nothing: they are told, and
    frames go on once it works again. A recording is read, classified and dealt with in turn.

    Every frame that was taken is yielded or counted, those in hand at a stop too.

    Args:
        camera: an open camera.
        classifier: a loaded model; nothing else uses it meanwhile.
        limit: the most frames to classify; None means no limit.
        counts: counts frames as they are classified; the camera's own are added with `take_over`
            once it is closed.
        on_event: called in this thread with each fault and recovery, in order.
        should_stop: asked in this thread, several times a second.
        clock: tells the wall-clock time in UTC.

    Raises:
        CameraError: a recording cannot be read.
    """
    inference = _Inference(camera, classifier, limit, counts or WatchCounts(), clock)
    if not camera.is_live:
        while (watched := inference.next(should_stop)) is not None:
            yield watched
        return
    if should_stop():
        return
    ahead = _Ahead(inference)
    ahead.start()
    try:
        while not ahead.has_ended:
            watched = ahead.take(_LOOK_S)
            for event in camera.log.take_events():
                on_event(event)
            if should_stop():
                ahead.stop()
            if watched is not None:
                yield watched
        if ahead.error is not None:
            raise ahead.error
    finally:
        ahead.abandon()


class _Inference:
    """Takes frames from a camera and classifies them."""

    def __init__(
        self,
        camera: SupervisedCamera,
        classifier: Classifier,
        limit: int | None,
        counts: WatchCounts,
        clock: Callable[[], datetime],
    ) -> None:
        self._camera = camera
        self._classifier = classifier
        self._limit = limit
        self._counts = counts
        self._clock = clock

    def next(self, should_stop: Callable[[], bool]) -> WatchedFrame | None:
        """Return the next result; None at the end, at the limit, or when asked to stop."""
        counts = self._counts
        while self._limit is None or counts.classified < self._limit:
            started = time.perf_counter()
            frame = None
            while frame is None:
                if self._camera.has_ended or should_stop():
                    return None
                frame = self._camera.poll(_LOOK_S)
            waited = time.perf_counter()
            try:
                prediction = self._classifier.classify(frame.pixels)
            except FrameError:
                counts.unclassified += 1
                continue
            counts.labels[prediction.label] += 1
            counts.decisions[prediction.decision] += 1
            return WatchedFrame(frame, prediction, (waited - started) * 1000, self._clock())
        return None


class _Ahead(threading.Thread):
    """Classifies one frame ahead of whoever takes the results; no result is dropped."""

    def __init__(self, inference: _Inference) -> None:
        super().__init__(name="inference", daemon=True)
        self.error: Exception | None = None
        self.has_ended = False
        self._inference = inference
        self._results: queue.Queue[WatchedFrame | None] = queue.Queue(maxsize=1)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Classify until the end, or until told to stop, and then say so."""
        try:
            while (watched := self._inference.next(self._stopping.is_set)) is not None:
                self._results.put(watched)
        except Exception as error:  # the taker raises it
            self.error = error
        finally:
            self._results.put(None)

    def take(self, timeout_s: float) -> WatchedFrame | None:
        """Wait for a result; None where none came in time, or after the last one."""
        try:
            watched = self._results.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self.has_ended = watched is None
        return watched

    def stop(self) -> None:
        """Let the frame in hand be the last."""
        self._stopping.set()

    def abandon(self) -> None:
        """Stop, and drop results that nobody takes any more."""
        self.stop()
        until_s = time.monotonic() + _ABANDON_S
        while not self.has_ended and time.monotonic() < until_s:
            self.take(_LOOK_S)
