"""A thread beside the caller's, for work that need not wait its turn."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

#: One entry for every fork between the first process and this one; threads do not survive a fork.
_forks: list[None] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _forks.append(None))


class SideThread:
    """One thread that does one job at a time while its owner does another.

    The libraries that do the work of a frame (OpenCV, numpy, the TFLite runtimes) let go of
    Python's lock while they compute, so that two threads share two cores. To begin a job costs its
    owner less than half of what a future of `concurrent.futures` takes.

    The thread begins with the first job, and anew in a process that was forked. It keeps nothing of
    a job that is done, and does not hold up the end of the process.

    Example:
        >>> side = SideThread()
        >>> side.start(judge_quality)
        >>> interpreter.invoke()
        >>> side.wait()
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._job: Callable[[], object] | None = None
        self._error: BaseException | None = None
        self._begun = threading.Lock()
        self._done = threading.Lock()
        self._busy = False
        self._born_after = -1

    def start(self, job: Callable[[], object]) -> None:
        """Begin a job, once the one before is done.

        Args:
            job: what to do; it keeps its result itself.
        """
        if self._busy:
            # Ctrl-C came while its owner waited.
            self._done.acquire()
            self._error = None
        self._job = job
        # A thread's own `is_alive` takes as long as to wake it.
        if self._thread is None or self._born_after != len(_forks):
            self._begin()
        self._busy = True
        self._begun.release()

    def wait(self) -> None:
        """Return when the job is done, and raise what it raised."""
        self._done.acquire()
        self._busy = False
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self) -> None:
        """End the thread, which must have no job; closing twice is harmless."""
        if self._thread is not None and self._thread.is_alive():
            self._job = None
            self._begun.release()
        self._thread = None

    def _begin(self) -> None:
        self._begun, self._done = threading.Lock(), threading.Lock()
        self._begun.acquire()
        self._done.acquire()
        self._thread = threading.Thread(
            target=self._run, args=(self._begun, self._done), name="blastscope-side", daemon=True
        )
        self._born_after = len(_forks)
        self._thread.start()

    def _run(self, begun: threading.Lock, done: threading.Lock) -> None:
        while begun.acquire() and self._job is not None:
            try:
                self._job()
            except BaseException as error:
                self._error = error
            self._job = None
            done.release()
