"""A real HTTP server on this machine that streams MJPEG, well or badly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

BOUNDARY = "frame"


class Stream:
    """What the server does now.

    Attributes:
        doing: "good", or a fault: see `_Handler.do_GET` and `_Handler._write_part`.
        style: how the parts are laid out: "length", "bare" (no Content-Length) or "chunked".
        pixels: what it shows; None shows noise.
        connections: how often it was asked for the stream.
        authorization: the last Authorization header.
    """

    def __init__(self, style: str = "length", pixels: np.ndarray | None = None) -> None:
        self.doing = "good"
        self.style = style
        self.pixels = pixels
        self.period_s = 0.005
        self.connections = 0
        self.authorization: str | None = None
        self.ended = threading.Event()
        self._random = np.random.default_rng(0)
        self.frozen = self.jpeg()

    def jpeg(self) -> bytes:
        pixels = self.pixels
        if self.doing == "black":
            pixels = np.zeros((48, 64, 3), np.uint8)
        elif self.doing == "small":
            pixels = self._random.integers(60, 250, (24, 32, 3)).astype(np.uint8)
        elif pixels is None:
            pixels = self._random.integers(60, 250, (48, 64, 3)).astype(np.uint8)
        good, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])
        assert good
        return data.tobytes()


class _Handler(BaseHTTPRequestHandler):
    stream: Stream

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        stream = self.stream
        stream.connections += 1
        stream.authorization = self.headers["Authorization"]
        if stream.doing in ("refuse", "killed"):
            self.send_error(503)
            return
        if stream.style == "chunked":
            self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        kind = "text/html" if stream.doing == "page" else "multipart/x-mixed-replace"
        self.send_header("Content-Type", f"{kind};boundary={BOUNDARY}")
        if stream.style == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not stream.ended.is_set():
            if stream.doing == "killed":
                return
            if stream.doing == "silent":
                time.sleep(0.01)
                continue
            if not self._write_part(stream.frozen if stream.doing == "frozen" else stream.jpeg()):
                return
            time.sleep(stream.period_s)

    def _write_part(self, content: bytes) -> bool:
        doing = self.stream.doing
        if doing == "drip":
            content = content[:100]
            for place in range(100):
                self._write(content[place : place + 1])
                time.sleep(0.02)
            return True
        if doing == "endless":
            self._write(b"x" * 2**20)
            return True
        if doing == "damaged":
            content = b"no JPEG at all"
        if doing == "cut":
            content = content[: len(content) // 2]
        if doing == "bomb":
            place = content.index(b"\xff\xc0") + 5
            content = content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :]
        length = 10**12 if doing == "giant" else len(content)
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
        if self.stream.style != "bare":
            head += f"Content-Length: {length}\r\n"
        self._write(head.encode() + b"\r\n" + content + b"\r\n")
        return True

    def _write(self, data: bytes) -> None:
        if self.stream.style == "chunked":
            data = f"{len(data):x}\r\n".encode() + data + b"\r\n"
        self.wfile.write(data)
        self.wfile.flush()


@contextmanager
def serving(stream: Stream) -> Iterator[str]:
    """Serve a stream; yield its address."""
    handler = type("Handler", (_Handler,), {"stream": stream})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/stream?size=small"
    finally:
        stream.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
