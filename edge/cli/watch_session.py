"""What `blastscope watch` tells while it watches, and at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from edge.cameras.supervised import SupervisedCamera
from edge.classifier import Classifier
from edge.cli.options import percent, say_decision
from edge.cli.specimen_options import describe_answer, describe_outcome
from edge.errors import OutputError
from edge.fault_log import FaultEvent, FaultLog
from edge.model_guard import ModelGuard
from edge.patient_lines import DISK_FULL, PatientLines
from edge.quality import Quality
from edge.quality.drift_log import DriftLog
from edge.specimen import Specimen
from edge.watching import WatchCounts, WatchedFrame

#: Notes that wait while the disk under standard error is full.
_MOST_NOTES = 100


class WatchSession:
    """Tells frames, faults and drift, and counts them.

    Args:
        camera: what is watched.
        as_json: tell frames and events as JSON.
        results: standard output.
        notes: standard error.

    Attributes:
        counts: what became of the frames.
    """

    def __init__(
        self, camera: SupervisedCamera, as_json: bool, results: TextIO, notes: TextIO
    ) -> None:
        self.counts = WatchCounts()
        self._camera = camera
        self._as_json = as_json
        self._results = PatientLines(results, "results")
        self._notes = PatientLines(notes, "notes", _MOST_NOTES)
        self._guard: ModelGuard | None = None
        self._specimen: Specimen | None = None
        self._drift = DriftLog()

    def begin(
        self, classifier: Classifier, calibration: Quality | None, specimen: Specimen | None
    ) -> None:
        """Take what frames are judged by.

        Args:
            classifier: the model that is used.
            calibration: of the calibration frame; None where there is none.
            specimen: that all frames are of; None where they are not of one.
        """
        self._guard = ModelGuard(classifier.model)
        self._specimen = specimen
        self._drift = DriftLog(classifier.quality_limits, calibration)

    def note(self, message: str) -> None:
        """Tell a person something on standard error."""
        self._notes.write(message)

    def look_around(self) -> bool:
        """Look after the disk and the model's file.

        Returns:
            False: neither is a reason to stop.
        """
        self._results.retry()
        if self._guard is not None:
            self._guard.look()
        for log in self._own_logs().values():
            for event in log.take_events():
                self.tell_fault(event)
        return False

    def tell_frame(self, watched: WatchedFrame) -> None:
        """Tell a frame's result, and the drift that it shows."""
        frame, specimen = watched.frame, self._specimen
        row, said = (_as_json(watched), "") if self._as_json else ({}, _describe(watched))
        if specimen is not None:
            counted = specimen.add(watched.prediction, frame.pixels)
            outcome = specimen.outcome
            row["specimen"] = {
                "counted": counted,
                "answer": outcome.verdict,
                "more_fields": outcome.more_fields,
            }
            said += f"  specimen: {describe_outcome(outcome)}" if counted else ""
        self._results.write(json.dumps(row, allow_nan=False) if self._as_json else said)
        # Frames of a recording are of different places, however fast they are read.
        captured_s = frame.captured_s if self._camera.is_live else None
        for event in self._drift.update(frame.pixels, captured_s):
            self._tell_event(event, f"Drift: {event['message']}")

    def tell_fault(self, event: FaultEvent) -> None:
        """Tell a fault of the camera, the disk or the model's file, or its end."""
        words = {
            "event": event.kind,
            "fault": event.fault,
            "message": event.message,
            "at_s": event.at_s,
            "outage_s": event.outage_s,
        }
        own = any(event.fault in log.faults for log in self._own_logs().values())
        said = f"{'Station' if own else 'Camera'} {event.kind}: {event.fault}. {event.message}"
        self._tell_event(words, said)
        if self._as_json and event.fault == DISK_FULL:
            # Its line waits for the very room that is lacking.
            self.note(said)

    def tell_specimen(self) -> None:
        """Say what the frames come to for their specimen, where they are of one."""
        if self._specimen is None:
            return
        answer = self._specimen.answer()
        if self._as_json:
            self._tell_event({"event": "specimen", **answer.as_json()}, "")
        else:
            self._results.write(f"\n{describe_answer(answer)}")

    def tell_counts(self) -> None:
        """Say what became of the frames, and what went wrong."""
        self.look_around()
        self.tell_specimen()
        counts, camera_log = self.counts, self._camera.log
        counts.take_over(self._camera)
        if not (counts.captured or camera_log.faults):
            return
        shares = ", ".join(f"{label} {count}" for label, count in sorted(counts.labels.items()))
        self.note(
            f"{counts.classified} frames classified ({shares or 'none'}), {counts.skipped} "
            f"skipped, {counts.failed} failed, of {counts.captured} captured."
        )
        self._note_counted("Decisions", counts.decisions)
        self._note_counted("Drift", self._drift.warnings)
        self._note_counted("Refused frames", camera_log.refused)
        for name, log in {"Camera": camera_log, **self._own_logs()}.items():
            self._note_counted(f"{name} faults", log.faults)
            if log.faults:
                self.note(f"Recovered {log.recoveries} times.")

    def require_written(self) -> None:
        """Try a last time to write what waits.

        Raises:
            OutputError: results were lost.
        """
        self._notes.give_up()
        lost = self._results.give_up()
        if lost:
            raise OutputError(
                "The results must be written",
                got=f"no space left on the disk, and {lost} lines lost",
                next_step="Free some space",
            )

    def _own_logs(self) -> dict[str, FaultLog]:
        logs = {"Output": self._results.log}
        if self._guard is not None:
            logs["Model"] = self._guard.log
        return logs

    def _tell_event(self, event: Mapping[str, Any], said: str) -> None:
        if not self._as_json:
            self.note(said)
            return
        row = {**event, "wall_clock": datetime.now(UTC).isoformat()}
        self._results.write(json.dumps(row, allow_nan=False))

    def _note_counted(self, title: str, counted: Mapping[str, int]) -> None:
        if counted:
            each = ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))
            self.note(f"{title}: {each}.")


def _as_json(watched: WatchedFrame) -> dict[str, Any]:
    frame, prediction = watched.frame, watched.prediction
    row: dict[str, Any] = {
        "sequence": frame.sequence,
        "captured_s": frame.captured_s,
        "skipped": frame.skipped,
        **prediction.as_json(),
    }
    row["timing_ms"] = {"wait": watched.wait_ms, **prediction.timing_ms}
    row["wall_clock"] = watched.wall_clock.isoformat()
    return row


def _describe(watched: WatchedFrame) -> str:
    prediction = watched.prediction
    scores = "  ".join(f"{label} {percent(score)}" for label, score in prediction.scores.items())
    total_ms = sum(prediction.timing_ms.values())
    line = f"{watched.frame.sequence:>6}  {prediction.label:<8}  {scores}  {total_ms:6.1f} ms"
    return line + say_decision(prediction.decision, prediction.reasons)
