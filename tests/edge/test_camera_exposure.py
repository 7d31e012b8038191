"""What picamera2 offers beyond frames: stills, metadata, and an exposure that is kept."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from edge.cameras import Camera
from edge.cameras.exposure import Exposure, ExposureLock
from edge.cameras.fake_picamera2 import installed
from edge.cameras.picamera2 import Picamera2Camera
from edge.cameras.supervised import SupervisedCamera
from edge.errors import CameraError
from tests.edge import camera_contract

STILL = (640, 480)


def noise(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (480, 640, 3), np.uint8)


def camera_with_stills() -> Picamera2Camera:
    return Picamera2Camera(0, 64, 48, still_size=STILL)


# Stills


def test_still_is_the_moment_of_its_frame_at_full_size() -> None:
    with installed(frames=noise), camera_with_stills() as camera:
        for frame in camera.frames(limit=3):
            assert frame.pixels.shape == (48, 64, 3)
            assert frame.still is not None
            assert np.array_equal(frame.still.pixels(), noise(frame.sequence))


def test_stills_as_the_real_picamera2_has_them() -> None:
    with installed(frames=camera_contract.red_and_blue()):
        camera_contract.check_stills(camera_with_stills)


def test_frame_is_scaled_by_the_camera_and_in_its_colours() -> None:
    field = np.full((480, 640, 3), (200, 40, 40), np.uint8)
    with installed(frames=field), camera_with_stills() as camera:
        assert np.abs(camera.read().pixels.astype(int) - (200, 40, 40)).max() < 4


def test_buffers_go_back_with_the_frames_that_hold_them() -> None:
    with installed(frames=noise), camera_with_stills() as camera:
        for frame in camera.frames(limit=20, timeout_s=0.5):
            assert frame.still is not None
        held = [camera.read(0.5) for _ in range(4)]
        assert len({frame.sequence for frame in held}) == 4
        held.append(camera.read(0.5))
        with pytest.raises(CameraError, match=r"within 0\.2 s"):
            camera.read(0.2)
        assert held[0].still is not None
        held[0].still.release()
        held[0].still.release()
        with pytest.raises(CameraError, match="released"):
            held[0].still.pixels()
        assert camera.read(0.5) is not None


def test_still_of_a_closed_camera_is_gone() -> None:
    with installed(frames=noise):
        camera = camera_with_stills()
        with camera:
            frame = camera.read()
        assert frame.still is not None
        with pytest.raises(CameraError, match="while its camera is open"):
            frame.still.pixels()
        with camera:
            assert camera.read().still is not None
        del frame
        gc.collect()


def test_still_below_the_frame_is_refused() -> None:
    with installed(frames=noise), pytest.raises(CameraError, match="may not exceed main"):
        Picamera2Camera(0, 64, 48, still_size=(32, 24)).open()


def test_still_of_other_proportions_is_refused() -> None:
    Picamera2Camera(0, 640, 480, still_size=(4056, 3040))
    with pytest.raises(CameraError, match="1920 x 1080 and 640 x 480"):
        Picamera2Camera(0, 640, 480, still_size=(1920, 1080))


def test_stills_pass_through_a_camera_that_is_watched_over() -> None:
    with installed(frames=noise), SupervisedCamera(camera_with_stills) as camera:
        for frame in camera.frames(limit=20):
            assert frame.still is not None
            assert frame.still.pixels().shape == (480, 640, 3)
        assert not camera.log.faults


# Metadata and exposure


def settling(number: int) -> dict[str, Any]:
    """Automatic exposure that takes twenty frames."""
    late = max(20 - number, 0)
    gains = (1.5 + 0.1 * late, 2.25 - 0.05 * late)
    return {"ExposureTime": 5000 + 400 * late, "AnalogueGain": 2.0, "ColourGains": gains}


def drifting(number: int) -> dict[str, Any]:
    return {"ExposureTime": 1000 * (1 + number % 20)}


def test_frames_tell_how_they_were_exposed() -> None:
    with installed(frames=noise, metadata=settling), Picamera2Camera(0, 64, 48) as camera:
        frames = list(camera.frames(limit=3))
    assert [frame.metadata["ExposureTime"] for frame in frames] == [13000, 12600, 12200]
    assert frames[0].metadata["SensorTimestamp"] < frames[1].metadata["SensorTimestamp"]


def test_exposure_is_measured_once_it_has_settled_and_kept() -> None:
    lock = ExposureLock()
    camera: Camera = Picamera2Camera(0, 64, 48, lock=lock)
    with installed(frames=noise, metadata=settling), camera:
        assert lock.exposure == Exposure(5000, 2.0, (1.5, 2.25))
        assert camera.read().metadata["ExposureTime"] == 5000
        assert camera._device._controls == lock.exposure.controls()
    # It comes back, or another one, over a smear: what was measured is what holds.
    camera = SupervisedCamera(lambda: Picamera2Camera(0, 64, 48, lock=lock))
    with installed(frames=noise, metadata=drifting), camera:
        metadata = camera.read().metadata
    assert metadata["ExposureTime"] == 5000
    assert metadata["AnalogueGain"] == 2.0
    assert metadata["ColourGains"] == (1.5, 2.25)
    assert lock.exposure == Exposure(5000, 2.0, (1.5, 2.25))


def test_exposure_that_does_not_settle_is_told() -> None:
    lock = ExposureLock()
    with installed(frames=noise, metadata=drifting) as module:
        with pytest.raises(CameraError, match="empty field"):
            Picamera2Camera(0, 64, 48, lock=lock).open()
        with module.Picamera2(0):
            pass
    assert lock.exposure is None


def test_camera_without_such_controls_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"FrameDurationLimits": (33_333, 1_000_000, None), "AeEnable": (False, True, None)}
    monkeypatch.setattr("edge.cameras.fake_picamera2._CONTROLS", few)
    with installed(frames=noise), pytest.raises(CameraError, match="ColourGains"):
        Picamera2Camera(0, 64, 48, lock=ExposureLock()).open()
