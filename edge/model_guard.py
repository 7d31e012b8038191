"""Whether the file of a model in use is still what was loaded."""

from __future__ import annotations

import hashlib
import time
from typing import Final

from edge.fault_log import FaultLog
from edge.model_file import ModelFile

MODEL_GONE: Final = "model-gone"
MODEL_REPLACED: Final = "model-replaced"

#: How often to look, in seconds; a look that finds nothing new is one system call.
_EVERY_S = 1.0


class ModelGuard:
    """Looks after a loaded model's file, which classifying goes on without.

    A model is read into memory once and a file that is removed changes no result; but the next
    start would fail, or use another model, so that somebody must be told now.

    Args:
        model: as it was loaded.
        every_s: how often to look, in seconds.

    Attributes:
        log: when the file was gone or another one, and when it was back.
    """

    def __init__(self, model: ModelFile, every_s: float = _EVERY_S) -> None:
        self.log = FaultLog()
        self._model = model
        self._every_s = every_s
        self._next_s = time.monotonic() + every_s
        self._seen = self._look()
        self._fault: str | None = None

    def look(self) -> None:
        """Look at the file, if it is time to."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._every_s
        seen = self._look()
        if seen == self._seen:
            return
        fault = MODEL_GONE if seen is None else self._compare()
        self._seen = seen
        if fault == self._fault:
            return
        self._fault = fault
        path = self._model.path
        if fault is None:
            self.log.note_recovery(f"{path} is there again")
        elif fault == MODEL_GONE:
            self.log.note_fault(
                fault, f"{path} is gone: {self._model.model_id} goes on, but would not start again"
            )
        else:
            self.log.note_fault(
                fault,
                f"{path} is another model now: {self._model.model_id} goes on until a restart",
            )

    def _look(self) -> tuple[int, int, int] | None:
        """Return what changes with a file's content; None where there is no file."""
        try:
            status = self._model.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _compare(self) -> str | None:
        """Read the file, and say whether it is another one."""
        try:
            digest = hashlib.sha256(self._model.path.read_bytes()).hexdigest()
        except OSError:
            return MODEL_GONE
        return None if digest == self._model.digest else MODEL_REPLACED
