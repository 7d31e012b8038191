"""USB cameras, and finding cameras of any kind."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from edge.cameras import discovery
from edge.cameras.fake_picamera2 import installed
from edge.cameras.usb import UsbCamera
from edge.errors import CameraError
from tests.edge import camera_contract
from tests.edge.camera_stubs import StubCapture, grey, use_capture

# USB


def test_an_absent_usb_camera_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    camera = UsbCamera("/dev/video97")
    with pytest.raises(CameraError) as caught:
        camera.open()
    assert "/dev/video97" in str(caught.value)
    assert "does not exist" in str(caught.value)
    assert "cameras that exist" in str(caught.value)
    assert capfd.readouterr().err == ""
    camera.close()


def test_a_real_usb_camera(tmp_path: Path) -> None:
    found = discovery.find_usb_cameras()
    if not found:
        pytest.skip("NO USB CAMERA HERE: its absence is tested instead")
    for check in camera_contract.CHECKS:
        check(lambda: UsbCamera(found[0].address))


def test_the_newest_usb_frame_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = StubCapture([grey(value) for value in (10, 20, 30)])
    use_capture(monkeypatch, lambda: stub)
    with UsbCamera(4) as camera:
        wait_until(lambda: stub.number == 3 and camera._reader._number == 2)
        frame = camera.read()
        assert (frame.sequence, frame.skipped) == (2, 2)
        assert frame.pixels.mean() == 30
        with pytest.raises(CameraError, match=r"within 0\.05 s"):
            camera.read(timeout_s=0.05)
        stub.silence.set()
    assert stub.is_released


def test_an_unplugged_usb_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = StubCapture([grey(10)])
    stub.silence.set()
    use_capture(monkeypatch, lambda: stub)
    with UsbCamera() as camera:
        assert camera.read().sequence == 0
        with pytest.raises(CameraError, match="stopped answering"):
            camera.read(timeout_s=20.0)
    assert stub.is_released


def test_a_usb_camera_that_opencv_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> StubCapture:
        raise cv2.error("a broken backend")

    use_capture(monkeypatch, fail)
    with pytest.raises(CameraError, match="can be opened"):
        UsbCamera().open()


def test_a_usb_camera_that_does_not_open_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = StubCapture(opened=False)
    use_capture(monkeypatch, lambda: stub)
    with pytest.raises(CameraError, match="can be opened"):
        UsbCamera().open()
    assert stub.is_released


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, "waited 10 s in vain"
        time.sleep(0.005)


# Discovery


def write_node(sysfs: Path, number: int, name: str, index: int = 0) -> None:
    node = sysfs / f"video{number}"
    node.mkdir()
    (node / "name").write_text(f"{name}\n")
    (node / "index").write_text(f"{index}\n")


def test_only_cameras_are_found(tmp_path: Path) -> None:
    write_node(tmp_path, 0, "USB Microscope: USB Microscope")
    write_node(tmp_path, 1, "USB Microscope: USB Microscope", index=1)
    write_node(tmp_path, 10, "bcm2835-codec-decode")
    write_node(tmp_path, 13, "bcm2835-isp-output0")
    write_node(tmp_path, 19, "rpi-hevc-dec")
    write_node(tmp_path, 20, "pispbe-input")
    write_node(tmp_path, 21, "rp1-cfe-csi2_ch0")
    write_node(tmp_path, 3, "HD Webcam")
    (tmp_path / "v4l-touch0").mkdir()
    found = discovery.find_usb_cameras(tmp_path)
    assert [(camera.address, camera.description) for camera in found] == [
        ("/dev/video0", "USB Microscope: USB Microscope"),
        ("/dev/video3", "HD Webcam"),
    ]
    assert {camera.kind for camera in found} == {"usb"}


def test_discovery_asks_picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(models=["imx477", "imx219"]) as module:
        found = discovery.find_cameras()
        assert [(c.kind, c.address, c.description) for c in found if c.kind == "picamera2"] == [
            ("picamera2", "0", "imx477"),
            ("picamera2", "1", "imx219"),
        ]

        def fail() -> None:
            raise OSError("a broken library")

        monkeypatch.setattr(module.Picamera2, "global_camera_info", fail)
        assert [c for c in discovery.find_cameras() if c.kind == "picamera2"] == []
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace())
    assert [c for c in discovery.find_cameras() if c.kind == "picamera2"] == []
