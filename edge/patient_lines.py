"""Lines of results on a disk that may be full for a while."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections import deque
from contextlib import suppress
from typing import TextIO

from edge.fault_log import FaultLog

#: What a disk without room answers: none at all, or none of a user's share.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

#: Lines that wait for room; of watching, half an hour's at five frames a second, in some 5 MB.
_MOST_WAITING = 10_000

DISK_FULL = "disk-full"


class PatientLines:
    """Writes lines to a stream at once; where its disk is full, they wait for room.

    Nothing is written twice, and no line is torn by the fault: what was cut off is written on, in
    order, once there is room. Where more lines wait than there is memory for, the oldest are
    dropped and counted.

    Args:
        stream: standard output or error, which nobody else writes to meanwhile.
        name: what to call it in messages.
        most_waiting: how many lines may wait.

    Attributes:
        log: when the disk was full, and when there was room again.
        lost: lines that were dropped.
    """

    def __init__(self, stream: TextIO, name: str, most_waiting: int = _MOST_WAITING) -> None:
        self.log = FaultLog()
        self.lost = 0
        self._stream = stream
        self._name = name
        self._most = most_waiting
        self._waiting: deque[bytes] = deque()
        self._written = 0
        try:
            stream.flush()
            self._descriptor: int | None = stream.fileno()
        except (io.UnsupportedOperation, ValueError):
            # Not a file: a notebook's stream, or a closed one.
            self._descriptor = None

    @property
    def waiting(self) -> int:
        """How many lines wait for room, one that is half written among them."""
        return len(self._waiting)

    def write(self, line: str) -> None:
        """Write a line, or let it wait.

        Args:
            line: without its line feed.

        Raises:
            OSError: the stream is gone, for example the reader of a pipe.
        """
        if self._descriptor is None:
            with suppress(ValueError):
                self._stream.write(f"{line}\n")
            return
        encoding, errors = self._stream.encoding, self._stream.errors or "backslashreplace"
        self._waiting.append(f"{line}\n".encode(encoding, errors))
        self.retry()
        if len(self._waiting) > self._most:
            # The first may be half written.
            del self._waiting[1 if self._written else 0]
            self.lost += 1

    def retry(self) -> None:
        """Write what waits, as far as there is room.

        Raises:
            OSError: the stream is gone.
        """
        if self._descriptor is None:
            return
        while self._waiting:
            rest = self._waiting[0][self._written :]
            try:
                self._written += os.write(self._descriptor, rest)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                if not self.log.in_outage:
                    self.log.note_fault(DISK_FULL, f"No room for {self._name}: lines wait")
                return
            if self._written == len(self._waiting[0]):
                self._waiting.popleft()
                self._written = 0
        self.log.note_recovery("Room again")

    def give_up(self) -> int:
        """Try a last time, count what still waits as lost, and cut off a line that is half written.

        Returns:
            How many lines were lost in all.

        Raises:
            OSError: the stream is gone.
        """
        self.retry()
        descriptor = self._descriptor
        if self._written and descriptor is not None:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                with suppress(OSError):
                    os.ftruncate(descriptor, status.st_size - self._written)
        self.lost += len(self._waiting)
        self._waiting.clear()
        self._written = 0
        return self.lost
