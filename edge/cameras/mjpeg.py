"""Network cameras and phones: Motion JPEG over HTTP."""

from __future__ import annotations

import base64
import http.client
import time
from urllib.parse import SplitResult, unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from edge.cameras.base import Camera, Frame
from edge.cameras.multipart import JpegStream, boundary_of
from edge.cameras.quiet import quiet_opencv
from edge.errors import CameraError, ImageFileError
from edge.image_file import decode_image, jpeg_pixels

_CONNECT_S = 5.0
# A few bytes of JPEG can name a size that no memory holds.
_MOST_PIXELS = 64_000_000
_CHECK_URL = "Open the address in a browser on this machine: it must show the moving picture"
# What a connection raises that broke, timed out or carries no HTTP.
_FAILURES = (OSError, http.client.HTTPException, ValueError)


class MjpegCamera(Camera):
    """Frames from a camera that streams JPEG images over HTTP (multipart/x-mixed-replace).

    Every wait has a time limit, for the whole frame and not for its single packets, and memory is
    bounded whatever the server sends. After a read that failed the connection is done with: open
    the camera again. Frames that cannot be decoded are counted as skipped. It is for a cable or a
    network of one's own: with "http" neither the picture nor the password is protected.

    Args:
        url: the stream's address, such as "http://microscope.local:8080/stream"; a name and
            password in it ("http://name:password@...") are sent as HTTP's basic authentication.

    Raises:
        CameraError: the address is not one of HTTP.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            port = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise CameraError(
                "An MJPEG camera has an address that begins with http:// or https://",
                got=repr(url),
                next_step="Use one such as http://microscope.local:8080/stream",
            )
        self._parts: SplitResult = parts
        # Without name and password: this goes into messages and records.
        self.name = f"mjpeg:{parts.scheme}://{parts.hostname}"
        self.name += f":{port}{parts.path}" if port else parts.path
        self._connection: http.client.HTTPConnection | None = None
        self._stream: JpegStream | None = None
        self._next = 0

    def open(self) -> None:
        """Connect and ask for the stream.

        Raises:
            CameraError: nothing answers there, or not with an MJPEG stream.
        """
        self.close()
        parts = self._parts
        secure = parts.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(str(parts.hostname), parts.port, timeout=_CONNECT_S)
        response = None
        try:
            connection.connect()
            # A server that closes the connection after its answer, as most do, takes the socket
            # out of the connection; only the answer holds it then.
            sock = connection.sock
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=self._headers())
            response = connection.getresponse()
            kind = response.headers.get("Content-Type", "")
            boundary = boundary_of(kind)
            if response.status != http.client.OK or boundary is None:
                raise CameraError(
                    f"{self.name} answers with a stream of multipart/x-mixed-replace",
                    got=f"status {response.status} {response.reason}, {kind or 'no content type'}",
                    next_step=_CHECK_URL,
                )
        except (*_FAILURES, CameraError) as error:
            if response is not None:
                response.close()
            connection.close()
            if isinstance(error, CameraError):
                raise
            raise self._failure("answers when it is opened", error) from error
        self._connection = connection
        self._stream = JpegStream(response, sock, boundary)
        self._next = 0

    def read(self, timeout_s: float = 3.0) -> Frame:
        """Wait for the next frame.

        Args:
            timeout_s: the longest wait in seconds.

        Returns:
            The frame, its time being that of its arrival; a stream that ends is an error.

        Raises:
            CameraError: no frame came within the time, the stream broke, or it is not open.
        """
        if self._stream is None:
            raise self.not_open()
        deadline_s = time.monotonic() + max(timeout_s, 0.0)
        skipped = 0
        damage: ImageFileError | None = None
        while True:
            try:
                content = self._stream.next_part(deadline_s)
            except _FAILURES as error:
                rule = f"delivers a frame within {timeout_s:g} s"
                raise self._failure(rule, damage or error) from error
            captured_s = time.monotonic()
            try:
                pixels = self._decode(content)
                break
            except ImageFileError as error:
                damage = error
                skipped += 1
        sequence = self._next + skipped
        self._next = sequence + 1
        return Frame(pixels, sequence=sequence, captured_s=captured_s, skipped=skipped)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if connection is not None:
            connection.close()

    def _headers(self) -> dict[str, str]:
        if self._parts.username is None:
            return {}
        words = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}

    def _failure(self, rule: str, error: Exception) -> CameraError:
        got = "none" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        if isinstance(error, ImageFileError):
            got = f"none that can be shown: {error}"
        return CameraError(f"{self.name} {rule}", got=got, next_step=_CHECK_URL)

    def _decode(self, content: bytes) -> NDArray[np.uint8]:
        """Return a JPEG's pixels: RGB, uint8, (height, width, 3)."""
        pixels = jpeg_pixels(content)
        if not 0 < pixels <= _MOST_PIXELS:
            raise ImageFileError(
                f"A frame of {self.name} is a JPEG of at most {_MOST_PIXELS} pixels",
                got=f"{pixels} pixels" if pixels else "something else",
                next_step=_CHECK_URL,
            )
        with quiet_opencv():
            return decode_image(content, f"of {self.name}")
