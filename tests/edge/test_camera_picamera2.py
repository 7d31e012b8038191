"""The fake picamera2 against its contract, and the camera that drives either."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edge.cameras.fake_buffers import FORMATS
from edge.cameras.fake_picamera2 import installed
from edge.cameras.picamera2 import Picamera2Camera
from edge.cameras.pixel_formats import RGB_SOURCES, to_rgb
from edge.cameras.sensor_time import monotonic_seconds
from edge.errors import CameraError, MissingPackageError
from tests.edge import camera_contract, picamera2_contract
from tests.edge.camera_stubs import FIELD, HEIGHT, WIDTH, grey


@pytest.mark.parametrize("check", picamera2_contract.CHECKS, ids=lambda check: check.__name__)
def test_picamera2_contract(check: Callable[[ModuleType], None]) -> None:
    with installed(frames=grey(90), formats=["NV12"]) as module:
        check(module)


def test_rows_with_padding() -> None:
    field = camera_contract.red_and_blue(100, 50)
    for name in FORMATS:
        with installed(frames=field, formats=[name]) as module:
            with module.Picamera2(0) as device:
                device.configure(device.create_video_configuration(main={"size": (100, 50)}))
                assert device.camera_configuration()["main"]["stride"] > 100
            camera = Picamera2Camera(0, 100, 50)
            camera_contract.check_left_is_red_and_right_is_blue(lambda camera=camera: camera)
            with camera:
                assert camera.read().pixels.shape == (50, 100, 3)


def test_an_rgb_camera_gives_its_very_bytes() -> None:
    field = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    for name in ("BGR888", "RGB888", "XBGR8888", "XRGB8888"):
        with installed(frames=field, formats=[name]), Picamera2Camera(0, WIDTH, HEIGHT) as camera:
            assert np.array_equal(camera.read().pixels, field), name


def test_without_picamera2_the_way_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingPackageError) as caught:
        Picamera2Camera().open()
    assert "sudo apt install python3-picamera2" in str(caught.value)
    assert "--system-site-packages" in str(caught.value)


def test_a_picamera2_that_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingPackageError, match=r"numpy\.dtype size changed"):
        Picamera2Camera().open()


def test_no_camera_connected() -> None:
    with installed(models=[]), pytest.raises(CameraError, match="no camera at all"):
        Picamera2Camera().open()


def test_a_camera_number_too_high() -> None:
    models = ["imx219", "imx477"]
    with installed(models=models), pytest.raises(CameraError, match="imx219, imx477"):
        Picamera2Camera(2).open()


@pytest.mark.parametrize("error", [RuntimeError("busy"), IndexError("list index out of range")])
def test_a_constructor_that_fails(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with installed() as module:

        def fail(self: object, number: int) -> None:
            raise error

        monkeypatch.setattr(module.Picamera2, "__init__", fail)
        with pytest.raises(CameraError, match=str(error)):
            Picamera2Camera().open()


def test_a_camera_held_by_another_program() -> None:
    with installed(frames=FIELD) as module:
        with module.Picamera2(0):
            camera = Picamera2Camera()
            with pytest.raises(CameraError, match="Device or resource busy"):
                camera.open()
        with camera:
            assert camera.read() is not None


def test_a_camera_that_does_not_start_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(frames=FIELD) as module:

        def fail(self: object) -> None:
            raise RuntimeError("Failed to allocate buffers.")

        with monkeypatch.context() as patch:
            patch.setattr(module.Picamera2, "start", fail)
            with pytest.raises(CameraError, match=r"Failed to allocate buffers\."):
                Picamera2Camera().open()
        with Picamera2Camera() as camera:
            assert camera.read() is not None


def test_a_format_that_cannot_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(frames=FIELD) as module:
        stream = {"main": {"format": "R16", "size": (64, 64)}}
        with monkeypatch.context() as patch:
            patch.setattr(module.Picamera2, "camera_configuration", lambda self: stream)
            with pytest.raises(CameraError, match="R16"):
                Picamera2Camera().open()
        with module.Picamera2(0):
            pass


def test_lost_frames_are_counted_by_request_numbers() -> None:
    def source(number: int) -> np.ndarray | None:
        return None if number in {2, 3, 5} else FIELD

    with installed(frames=source), Picamera2Camera() as camera:
        seen = [(frame.sequence, frame.skipped) for frame in camera.frames(limit=4)]
    assert seen == [(0, 0), (1, 0), (4, 2), (6, 1)]


def test_lost_frames_are_counted_by_the_sensors_time() -> None:
    stamps = [1_000_000_000, 1_033_400_000, 1_133_300_000, 1_166_600_000]

    def metadata(number: int) -> dict[str, Any]:
        return {"SensorTimestamp": stamps[number], "FrameDuration": 33_333}

    with installed(frames=FIELD, metadata=metadata), Picamera2Camera() as camera:
        seen = [(frame.sequence, frame.skipped) for frame in camera.frames(limit=4)]
    assert seen == [(0, 0), (1, 0), (4, 2), (5, 0)]


def test_a_silent_camera_times_out_and_recovers() -> None:
    silent = threading.Event()

    def source(number: int) -> np.ndarray | None:
        return None if silent.is_set() else FIELD

    with installed(frames=source), Picamera2Camera() as camera:
        assert camera.read().sequence == 0
        silent.set()
        for _ in range(3):
            with pytest.raises(CameraError, match=r"within 0\.05 s"):
                camera.read(timeout_s=0.05)
        silent.clear()
        assert camera.read().skipped > 0
        assert camera.read().skipped == 0
        silent.set()
        with pytest.raises(CameraError):
            camera.read(timeout_s=0.05)


def test_a_frame_that_came_after_a_timeout_is_not_shown() -> None:
    # Frame 1 is lost, so the read of no patience fails; frame 2 comes to the job it left behind,
    # and by the next read is old.
    def source(number: int) -> np.ndarray | None:
        return None if number == 1 else grey(number)

    with installed(frames=source), Picamera2Camera() as camera:
        assert camera.read().sequence == 0
        with pytest.raises(CameraError):
            camera.read(timeout_s=0.0)
        frame = camera.read()
    assert (frame.sequence, frame.skipped) == (3, 2)
    assert frame.pixels.mean() == 3


def test_no_buffer_is_kept() -> None:
    with installed(frames=FIELD), Picamera2Camera() as camera:
        assert len(list(camera.frames(limit=40, timeout_s=0.5))) == 40


def test_a_camera_that_fails_while_running(monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(frames=FIELD) as module, Picamera2Camera() as camera:

        def fail(self: object, wait: object) -> None:
            raise RuntimeError("the pipeline handler is gone")

        with monkeypatch.context() as patch:
            patch.setattr(module.Picamera2, "capture_request", fail)
            with pytest.raises(CameraError, match="the pipeline handler is gone"):
                camera.read()
        assert camera.read() is not None


def test_the_fake_leaves_no_trace() -> None:
    before = sys.modules.get("picamera2")
    with installed(), pytest.raises(KeyError), installed(frames=FIELD):
        raise KeyError
    assert sys.modules.get("picamera2") is before


def test_the_fake_draws_fields_by_itself() -> None:
    with installed(), Picamera2Camera(0, 32, 32) as camera:
        first, second = camera.frames(limit=2)
    assert first.pixels.shape == (32, 32, 3)
    assert not np.array_equal(first.pixels, second.pixels)


def test_a_sensors_time_is_of_either_clock() -> None:
    second = 1_000_000_000
    # 100 s suspended; the frame is 0.2 s old.
    assert monotonic_seconds(500 * second - second // 5, 500 * second, 600 * second) == 499.8
    assert monotonic_seconds(600 * second - second // 5, 500 * second, 600 * second) == 499.8
    assert monotonic_seconds(900 * second, 500 * second, 600 * second) == 500.0


def test_arrays_that_do_not_fit_their_format() -> None:
    for name in RGB_SOURCES:
        with pytest.raises(CameraError, match=name):
            to_rgb(np.zeros((10, 8, 3), np.uint8), name, 64, 48)
    with pytest.raises(CameraError, match="R16"):
        to_rgb(np.zeros((48, 64, 3), np.uint8), "R16", 64, 48)


def test_packed_yuv() -> None:
    # Limited-range BT.601 red: Y 82, U 90, V 240.
    red = np.tile(np.array([[82, 90], [82, 240]], np.uint8), (4, 5, 1)).reshape(4, 10, 2)
    assert to_rgb(red, "YUYV", 8, 4)[0, 0] == pytest.approx([255, 1, 0], abs=3)
    assert to_rgb(np.ascontiguousarray(red[..., ::-1]), "UYVY", 8, 4).shape == (4, 8, 3)
    assert to_rgb(np.ascontiguousarray(red[..., ::-1]), "UYVY", 8, 4)[0, 0, 0] > 250
