"""Motion JPEG over HTTP, from a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from edge.cameras import open_camera
from edge.cameras.mjpeg import MjpegCamera
from edge.cameras.multipart import boundary_of
from edge.errors import CameraError
from tests.edge import camera_contract
from tests.edge.camera_stubs import FIELD
from tests.edge.mjpeg_server import Stream, serving

STYLES = ["length", "bare", "chunked"]


@pytest.fixture
def stream() -> Stream:
    return Stream(pixels=FIELD)


@pytest.fixture
def address(stream: Stream) -> Iterator[str]:
    with serving(stream) as address:
        yield address


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "check",
    [*camera_contract.CHECKS, camera_contract.check_left_is_red_and_right_is_blue],
    ids=lambda check: check.__name__,
)
def test_camera_contract(
    stream: Stream, address: str, style: str, check: Callable[[camera_contract.Make], None]
) -> None:
    stream.style = style
    check(lambda: MjpegCamera(address))


def test_kind_is_known(address: str) -> None:
    with open_camera("mjpeg", url=address) as camera:
        assert camera.is_live
        assert camera.read() is not None


@pytest.mark.parametrize("url", ["/dev/video0", "ftp://a/b", "http://", "http://a:port/", "rtsp:x"])
def test_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(CameraError, match="http://") as caught:
        MjpegCamera(url)
    assert url in str(caught.value)


def test_nobody_answers() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        camera = MjpegCamera(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
        with pytest.raises(CameraError, match="refused"):
            camera.open()
        camera.close()


@pytest.mark.parametrize(("doing", "said"), [("refuse", "status 503"), ("page", "text/html")])
def test_something_else_answers(stream: Stream, address: str, doing: str, said: str) -> None:
    stream.doing = doing
    camera = MjpegCamera(address)
    with pytest.raises(CameraError, match=said):
        camera.open()
    with pytest.raises(CameraError, match="open while it is read"):
        camera.read()


def test_no_http_at_all_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail ready\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(CameraError, match="BadStatusLine"):
            MjpegCamera(f"http://127.0.0.1:{server.getsockname()[1]}/").open()


#: What a stream that fails is told as.
FAILURES = {
    "silent": "none",
    "drip": "none",
    "damaged": "none that can be shown",
    "cut": "none that can be shown",
    "bomb": "4294836225 pixels",
    "killed": r"ended|Incomplete|reset",
    "endless": r"bytes|none",
    "giant": "1000000000000 bytes",
}
# A giant part is one that tells its length.
CASES = [(a, b) for a in STYLES for b in FAILURES if (a, b) != ("bare", "giant")]


@pytest.mark.parametrize(("style", "doing"), CASES)
def test_stream_that_fails(stream: Stream, address: str, style: str, doing: str) -> None:
    stream.style = style
    camera = MjpegCamera(address)
    with camera:
        camera.read()
        stream.doing = doing
        with pytest.raises(CameraError, match=FAILURES[doing]):
            for _ in camera.frames(timeout_s=0.5):
                pass
        stream.doing = "good"
        camera.open()
        assert camera.read().sequence == 0


def test_read_waits_no_longer_than_it_is_told(stream: Stream, address: str) -> None:
    with MjpegCamera(address) as camera:
        camera.read()
        stream.doing = "silent"
        healing = threading.Timer(2.0, setattr, (stream, "doing", "good"))
        healing.start()
        with pytest.raises(CameraError, match="within 0"):
            for _ in camera.frames(timeout_s=0.1):
                assert stream.doing == "silent", "the read waited for the stream to heal"
        healing.join()


def test_damaged_frames_are_counted(stream: Stream, address: str) -> None:
    with MjpegCamera(address) as camera:
        before = camera.read()
        stream.doing = "damaged"
        healing = threading.Timer(0.1, setattr, (stream, "doing", "good"))
        healing.start()
        frame = next(frame for frame in camera.frames(timeout_s=30.0) if frame.skipped)
        healing.join()
    assert frame.sequence > before.sequence + frame.skipped - 1
    assert np.abs(frame.pixels[:, :40].reshape(-1, 3).mean(axis=0) - (200, 40, 40)).max() < 12


def test_password_is_sent_and_not_told(stream: Stream, address: str) -> None:
    camera = MjpegCamera(address.replace("http://", "http://me:se%20cret@"))
    with camera:
        camera.read()
    assert stream.authorization == "Basic bWU6c2UgY3JldA=="
    stream.doing = "refuse"
    with pytest.raises(CameraError) as caught:
        camera.open()
    assert "cret" not in camera.name + str(caught.value)


def test_boundaries() -> None:
    kind = "multipart/x-mixed-replace"
    assert boundary_of(f"{kind}; boundary=abc") == b"--abc"
    assert boundary_of(f'{kind};boundary="a b"') == b"--a b"
    assert boundary_of(f"{kind};boundary=--abc") == b"--abc"
    assert boundary_of(kind) is None
    assert boundary_of("image/jpeg") is None
    assert boundary_of("") is None
