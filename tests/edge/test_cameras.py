"""Every source of frames against one contract, and what is particular to each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.cameras import CAMERA_KINDS, Camera, open_camera
from edge.cameras.fake_buffers import FORMATS
from edge.cameras.fake_picamera2 import installed
from edge.cameras.picamera2 import Picamera2Camera
from edge.cameras.replay import ReplayCamera
from edge.cameras.simulated import SimulatedCamera
from edge.cameras.usb import UsbCamera
from edge.errors import CameraError
from edge.labels import SMEAR_LABELS
from tests.edge import camera_contract
from tests.edge.camera_stubs import (
    FIELD,
    HEIGHT,
    WIDTH,
    StubCapture,
    grey,
    use_capture,
    write,
    write_video,
)

Make = Callable[[], Camera]
SOURCES = ["simulated", "folder", "image loop", "video", "usb stub"]
SOURCES += [f"picamera2 {name}" for name in FORMATS]
SOURCES += [f"stills {name}" for name in FORMATS]


@pytest.fixture(params=SOURCES)
def make(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    source = request.param
    if source == "simulated":
        yield lambda: SimulatedCamera(width=WIDTH, height=HEIGHT)
    elif source == "folder":
        for number in range(4):
            write(tmp_path / f"{number}.png", FIELD)
        yield lambda: ReplayCamera(tmp_path)
    elif source == "image loop":
        path = write(tmp_path / "field.bmp", FIELD)
        yield lambda: ReplayCamera(path, loop=True)
    elif source == "video":
        path = write_video(tmp_path / "session.avi", [FIELD] * 4)
        yield lambda: ReplayCamera(path)
    elif source == "usb stub":
        use_capture(monkeypatch, StubCapture)
        yield UsbCamera
    else:
        still_size = (2 * WIDTH, 2 * HEIGHT) if source.startswith("stills") else None
        with installed(frames=FIELD, formats=[source.split()[1]]):
            yield lambda: Picamera2Camera(0, WIDTH, HEIGHT, still_size)


@pytest.mark.parametrize("check", camera_contract.CHECKS, ids=lambda check: check.__name__)
def test_camera_contract(make: Make, check: Callable[[Make], None]) -> None:
    check(make)


def test_left_is_red_and_right_is_blue(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cameras.simulated.render_field", lambda *given, **size: FIELD)
    camera_contract.check_left_is_red_and_right_is_blue(make)


# The factory


def test_kinds_make_cameras_of_their_names(tmp_path: Path) -> None:
    options: dict[str, dict[str, Any]] = {"replay": {"path": tmp_path}}
    options["mjpeg"] = {"url": "http://localhost/"}
    for kind in CAMERA_KINDS:
        assert isinstance(open_camera(kind, **options.get(kind, {})), Camera)


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(CameraError) as caught:
        open_camera("webcam")
    assert "'webcam'" in str(caught.value)
    assert all(kind in str(caught.value) for kind in CAMERA_KINDS)


def test_importing_the_room_loads_no_library() -> None:
    program = (
        "import sys, edge.cameras; "
        "print([name for name in ('cv2', 'picamera2', 'edge.smear') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


# The simulation


def test_a_simulation_is_its_seed() -> None:
    def stream(seed: int) -> list[bytes]:
        with SimulatedCamera("Pro", seed, width=32, height=32) as camera:
            return [frame.pixels.tobytes() for frame in camera.frames(limit=3)]

    assert stream(1) == stream(1)
    assert stream(1) != stream(2)


def test_a_simulation_shows_every_class_in_turn_and_tells_it() -> None:
    camera = SimulatedCamera(seed=3, width=16, height=16)
    assert camera.last_label is None
    with camera:
        labels = [camera.last_label for _ in camera.frames(limit=8)]
    assert sorted(labels[:4]) == sorted(SMEAR_LABELS)
    assert sorted(labels[4:]) == sorted(SMEAR_LABELS)


def test_a_simulation_of_one_class() -> None:
    with SimulatedCamera("Pro", width=16, height=16) as camera:
        labels = {camera.last_label for _ in camera.frames(limit=3)}
    assert labels == {"Pro"}


@pytest.mark.parametrize("options", [{"label": "Blast"}, {"seed": -1}, {"width": 0}])
def test_a_simulation_refuses(options: dict[str, Any]) -> None:
    with pytest.raises(CameraError, match="simulated"):
        SimulatedCamera(**options)


# Replays


def means(camera: Camera) -> list[int]:
    return [round(float(frame.pixels.mean())) for frame in camera.frames(limit=20)]


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    for number, suffix in ((10, "png"), (9, "bmp"), (1, "tiff"), (100, "jpg")):
        write(tmp_path / f"field-{number}.{suffix}", grey(number))
    (tmp_path / "notes.txt").write_text("not an image")
    with ReplayCamera(tmp_path) as camera:
        assert means(camera) == [1, 9, 10, 100]
        assert camera.read() is None
        assert camera.read() is None


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0 cut"])
def test_a_damaged_image_is_skipped_and_counted(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "0.png", grey(10))
    for name in ("1.jpg", "2.jpg", "4.jpg"):
        (tmp_path / name).write_bytes(content)
    write(tmp_path / "3.png", grey(30))
    with ReplayCamera(tmp_path) as camera:
        seen = [(frame.sequence, frame.skipped) for frame in camera.frames()]
    assert seen == [(0, 0), (3, 2)]
    assert [path.name for path in camera.unreadable] == ["1.jpg", "2.jpg", "4.jpg"]


def test_a_loop_goes_on_counting(tmp_path: Path) -> None:
    write(tmp_path / "0.png", grey(10))
    (tmp_path / "1.png").write_bytes(b"")
    write(tmp_path / "2.png", grey(30))
    with ReplayCamera(tmp_path, loop=True) as camera:
        seen = [(frame.sequence, frame.skipped) for frame in camera.frames(limit=5)]
    assert seen == [(0, 0), (2, 1), (3, 0), (5, 1), (6, 0)]
    assert len(camera.unreadable) == 1


def test_a_video_ends_or_loops(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.avi", [grey(value) for value in (20, 120, 220)])
    with ReplayCamera(path) as camera:
        assert means(camera) == pytest.approx([20, 120, 220], abs=2)
        assert camera.read() is None
    with ReplayCamera(path, loop=True) as camera:
        assert len(means(camera)) == 20


@pytest.mark.parametrize("loop", [False, True])
def test_a_folder_of_damaged_images_is_an_error(tmp_path: Path, loop: bool) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"")
    with ReplayCamera(tmp_path, loop=loop) as camera:
        for _ in range(2):
            with pytest.raises(CameraError, match="none of 3 could be read"):
                camera.read()


def test_replays_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.mp4").write_bytes(b"x" * 1000)
    (tmp_path / "none.avi").write_bytes(b"")
    for name, rule in (
        ("absent", "existing folder"),
        ("empty", "holds JPEG"),
        ("bad.mp4", "OpenCV can decode"),
        ("none.avi", "OpenCV can decode"),
    ):
        camera = ReplayCamera(tmp_path / name)
        with pytest.raises(CameraError, match=rule) as caught:
            camera.open()
        assert name in str(caught.value)
        with pytest.raises(CameraError, match="open while it is read"):
            camera.read()


def test_a_broken_video_prints_nothing_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(b"x" * 1000)
    program = (
        "import sys\nfrom edge.cameras import open_camera\nfrom edge.errors import CameraError\n"
        "try:\n    open_camera('replay', path=sys.argv[1]).open()\n"
        "except CameraError as error:\n    sys.stdout.write(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "bad.mp4" in done.stdout
    assert done.stderr == ""
