"""Keeping the chatter of C++ libraries off the terminal.

TFLite runtimes, OpenCV and TensorFlow write notes straight to the process's file descriptors, and
several of them offer Python no switch.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

#: Two threads that exchanged the descriptors in turns would leave one's scratch file in place.
_lock = threading.RLock()


def _scratch() -> IO[bytes]:
    """Open an unnamed file, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("native-output"), "w+b")
    return tempfile.TemporaryFile()


@contextmanager
def captured_native_output() -> Iterator[Callable[[], list[str]]]:
    """Catch what is written to the descriptors of standard output and error meanwhile.

    It concerns the whole process, so keep it short; another thread that does the same waits.
    Without such descriptors (a daemon that has closed them) it does nothing.

    Yields:
        A function that returns the lines caught so far.
    """
    with _lock:
        try:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            kept = [os.dup(descriptor) for descriptor in (1, 2)]
        except (AttributeError, OSError, ValueError):
            yield list
            return
        with _scratch() as caught:

            def read() -> list[str]:
                caught.seek(0)
                return [
                    line for line in caught.read().decode(errors="replace").splitlines() if line
                ]

            try:
                for descriptor in (1, 2):
                    os.dup2(caught.fileno(), descriptor)
                yield read
            finally:
                with suppress(OSError, ValueError):
                    sys.stdout.flush()
                    sys.stderr.flush()
                for descriptor, original in zip((1, 2), kept, strict=True):
                    os.dup2(original, descriptor)
                    os.close(original)
