"""The stream format of MJPEG cameras: multipart/x-mixed-replace, one JPEG in each part."""

from __future__ import annotations

import http.client
import socket
import time
from email.message import Message

# A JPEG of the largest sensor in use has about 10 MB; a server that sends a longer one is broken.
_LARGEST_PART = 32 * 2**20
_LARGEST_HEADER = 16 * 2**10
_READ_BYTES = 64 * 2**10


def boundary_of(content_type: str) -> bytes | None:
    """Return what separates the parts, with its dashes; None for another content type.

    Args:
        content_type: the value of the Content-Type header.
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/x-mixed-replace" or not boundary:
        return None
    # Some cameras write the dashes into the header as well.
    return b"--" + boundary.encode("latin-1", "replace").removeprefix(b"--")


class JpegStream:
    """The parts of a stream, one after the other, in bounded memory.

    Args:
        response: the server's answer, its headers read.
        connection: the socket below it, whose time limit is set.
        boundary: what separates the parts, with its dashes.
    """

    def __init__(
        self, response: http.client.HTTPResponse, connection: socket.socket, boundary: bytes
    ) -> None:
        self._response = response
        self._socket = connection
        self._boundary = boundary
        self._buffer = bytearray()

    def next_part(self, deadline_s: float) -> bytes:
        """Return the next part's content.

        Args:
            deadline_s: when to give up, in seconds of the monotonic clock.

        Raises:
            TimeoutError: the part was not complete in time.
            OSError: the connection broke.
            ValueError: the server has ended the stream, or what it sends is longer than any image.
            http.client.HTTPException: the server broke off inside a chunk.
        """
        self._skip_to(self._boundary, _LARGEST_PART, deadline_s)
        header = self._take_to(b"\r\n\r\n", _LARGEST_HEADER, deadline_s)
        length = _length_of(header)
        if length is None:
            content = self._take_to(b"\r\n" + self._boundary, _LARGEST_PART, deadline_s)
            self._buffer[:0] = self._boundary
            return content
        if length > _LARGEST_PART:
            raise ValueError(f"a part of {length} bytes")
        while len(self._buffer) < length:
            self._receive(deadline_s)
        content = bytes(self._buffer[:length])
        del self._buffer[:length]
        return content

    def close(self) -> None:
        """Let go of the server's answer."""
        self._response.close()

    def _skip_to(self, mark: bytes, limit: int, deadline_s: float) -> None:
        """Drop everything up to a mark, and the mark."""
        dropped = 0
        while (place := self._buffer.find(mark)) < 0:
            # The mark may have come in half.
            spare = max(len(self._buffer) - len(mark), 0)
            dropped += spare
            if dropped > limit:
                raise ValueError(f"{dropped} bytes without a boundary")
            del self._buffer[:spare]
            self._receive(deadline_s)
        del self._buffer[: place + len(mark)]

    def _take_to(self, mark: bytes, limit: int, deadline_s: float) -> bytes:
        """Return everything up to a mark, and drop the mark."""
        searched = 0
        while (place := self._buffer.find(mark, searched)) < 0:
            if len(self._buffer) > limit:
                raise ValueError(f"a part of more than {limit} bytes")
            searched = max(len(self._buffer) - len(mark), 0)
            self._receive(deadline_s)
        content = bytes(self._buffer[:place])
        del self._buffer[: place + len(mark)]
        return content

    def _receive(self, deadline_s: float) -> None:
        """Wait for more bytes, however few: a server that drips them gains no time by it."""
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the time is over")
        self._socket.settimeout(left_s)
        received = self._response.read1(_READ_BYTES)
        if not received:
            raise ValueError("a stream that has ended")
        self._buffer += received


def _length_of(header: bytes) -> int | None:
    """Return a part's Content-Length; None where it has none."""
    for line in header.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None
