"""How picamera2 behaves: checks that the real one and the fake both pass.

Each takes the module. Camera 0 has NV12 alone, 640 x 480 pixels, as libcamera's virtual pipeline
has; nothing else may hold it. They are plain functions, to run where there is no pytest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import ModuleType
from typing import Any

import numpy as np

SHORT_S = 0.1
LONG_S = 5.0


def raised(call: Callable[[], object]) -> BaseException:
    """Return what a call raises."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def configured(library: ModuleType, **options: Any) -> Any:
    """Return camera 0 with a 640 x 480 video configuration."""
    camera = library.Picamera2(0)
    main = {"size": (640, 480), "format": "BGR888"}
    camera.configure(camera.create_video_configuration(main=main, **options))
    return camera


def fill(held: list[Any], camera: Any) -> None:
    """Take requests until none is left; libcamera may grant more or fewer buffers than asked."""
    while len(held) < 20:
        held.append(camera.capture_request(wait=4 * SHORT_S))


def check_listing(library: ModuleType) -> None:
    listed = library.Picamera2.global_camera_info()
    assert listed
    for info in listed:
        assert {"Model", "Location", "Id", "Num"} <= set(info), info
        assert isinstance(info["Model"], str)
        assert isinstance(info["Id"], str)
        assert isinstance(info["Num"], int)


def check_absent_camera(library: ModuleType) -> None:
    error = raised(lambda: library.Picamera2(7))
    assert type(error) is RuntimeError, repr(error)
    assert str(error).startswith("No camera number 7 found"), str(error)


def check_a_camera_is_held_by_one(library: ModuleType) -> None:
    with configured(library) as camera:
        error = raised(lambda: library.Picamera2(0))
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "Camera __init__ sequence did not complete.", str(error)
        assert isinstance(error.__cause__, RuntimeError), repr(error.__cause__)
        assert "Device or resource busy" in str(error.__cause__), str(error.__cause__)
        camera.start()
        assert camera.capture_array(wait=LONG_S) is not None


def check_configuration_dictionaries(library: ModuleType) -> None:
    keys = {"use_case", "transform", "colour_space", "buffer_count", "queue", "main", "lores"}
    keys |= {"raw", "controls", "sensor", "display", "encode"}
    with library.Picamera2(0) as camera:
        for make, use_case, size, buffers in (
            (camera.create_video_configuration, "video", (1280, 720), 6),
            (camera.create_preview_configuration, "preview", (640, 480), 4),
        ):
            made = make()
            assert set(made) == keys, set(made) ^ keys
            assert made["use_case"] == use_case
            assert made["buffer_count"] == buffers
            assert made["queue"] is True
            assert made["lores"] is None
            assert made["raw"] is None
            assert made["sensor"] is None
            assert (made["display"], made["encode"]) == ("main", "main")
            assert made["main"] == {"format": "XBGR8888", "size": size, "preserve_ar": True}
            asked = make(main={"size": (641, 479), "format": "RGB888"}, buffer_count=2, queue=False)
            assert asked["main"]["size"] == (640, 478)
            assert asked["main"]["format"] == "RGB888"
            assert (asked["buffer_count"], asked["queue"]) == (2, False)
            error = raised(lambda make=make: make(main={"colour": "RGB888"}))
            assert type(error) is ValueError, repr(error)
            assert "Bad key 'colour'" in str(error), str(error)


def check_configure_adjusts(library: ModuleType) -> None:
    with library.Picamera2(0) as camera:
        assert camera.camera_configuration() == {}
        asked = camera.create_video_configuration(main={"size": (640, 480), "format": "BGR888"})
        assert camera.configure(asked) is None
        main = camera.camera_configuration()["main"]
        assert main["format"] == "NV12", main
        assert main["size"] == (640, 480), main
        assert main["stride"] == 640, main
        assert main["framesize"] == 640 * 480 * 3 // 2, main


def check_configure_refuses(library: ModuleType) -> None:
    with library.Picamera2(0) as camera:
        made = camera.create_video_configuration(main={"format": "PINK"})
        error = raised(lambda: camera.configure(made))
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "Bad format PINK in stream main", str(error)
        made = camera.create_video_configuration()
        made["main"]["size"] = (641, 480)
        error = raised(lambda: camera.configure(made))
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "width and height should be even", str(error)
        error = raised(lambda: camera.configure(3))
        assert type(error) is TypeError, repr(error)
        error = raised(lambda: camera.create_video_configuration(main={"size": 640}))
        assert type(error) is TypeError, repr(error)


def check_configure_while_running(library: ModuleType) -> None:
    with configured(library) as camera:
        made = camera.create_video_configuration()
        camera.start()
        error = raised(lambda: camera.configure(made))
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "Camera must be stopped before configuring", str(error)
        camera.stop()
        camera.configure(made)


def check_start_configures_itself(library: ModuleType) -> None:
    with library.Picamera2(0) as camera:
        camera.start()
        assert camera.camera_configuration()["use_case"] == "preview"
        camera.start()
        assert camera.capture_array(wait=LONG_S).shape == (720, 640)


def check_capture_before_start_waits(library: ModuleType) -> None:
    with configured(library) as camera:
        for capture in (camera.capture_array, camera.capture_metadata):
            error = raised(lambda capture=capture: capture(wait=SHORT_S))
            assert type(error) is TimeoutError, repr(error)
        camera.cancel_all_and_flush()


def check_jobs(library: ModuleType) -> None:
    with configured(library) as camera:
        job = camera.capture_request(wait=False)
        assert type(raised(lambda: job.get_result(timeout=SHORT_S))) is TimeoutError
        assert type(raised(lambda: job.get_result(timeout=0.0))) is TimeoutError
        camera.start()
        request = job.get_result(timeout=LONG_S)
        assert request.make_array("main").shape == (720, 640)
        request.release()


def check_cancelled_job(library: ModuleType) -> None:
    with configured(library) as camera:
        job = camera.capture_request(wait=False)
        camera.cancel_all_and_flush()
        error = raised(lambda: job.get_result(timeout=SHORT_S))
        assert type(error) is CancelledError, repr(error)
        camera.start()
        assert camera.capture_array(wait=LONG_S) is not None


def check_capture_array(library: ModuleType) -> None:
    with configured(library) as camera:
        camera.start()
        array = camera.capture_array("main", wait=LONG_S)
        assert array.shape == (720, 640), array.shape
        assert array.dtype == np.uint8
        assert array.flags["OWNDATA"] or array.base is not None
        array[:] = 0
        arrays, metadata = camera.capture_arrays(["main"], wait=LONG_S)
        assert [array.shape for array in arrays] == [(720, 640)]
        assert "SensorTimestamp" in metadata
        error = raised(lambda: camera.capture_array("lores", wait=LONG_S))
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "Stream 'lores' is not defined", str(error)
        assert camera.capture_array("main", wait=LONG_S) is not None


def check_capture_request(library: ModuleType) -> None:
    with configured(library) as camera:
        camera.start()
        numbers = []
        for _ in range(3):
            request = camera.capture_request(wait=LONG_S)
            numbers.append(request.request.sequence)
            array = request.make_array("main")
            request.release()
            assert array.shape == (720, 640)
        assert numbers == sorted(set(numbers)), numbers


def check_released_request(library: ModuleType) -> None:
    with configured(library) as camera:
        camera.start()
        request = camera.capture_request(wait=LONG_S)
        request.acquire()
        request.release()
        assert request.get_metadata()
        request.release()
        assert request.request is None
        assert type(raised(lambda: request.make_array("main"))) is RuntimeError
        assert type(raised(request.get_metadata)) is AssertionError
        assert type(raised(request.acquire)) is RuntimeError
        assert type(raised(request.release)) is RuntimeError


def check_metadata(library: ModuleType) -> None:
    with configured(library) as camera:
        camera.start()
        stamps = [camera.capture_metadata(wait=LONG_S)["SensorTimestamp"] for _ in range(2)]
        assert all(isinstance(stamp, int) for stamp in stamps)
        assert stamps[0] < stamps[1]
        assert 0 <= time.monotonic_ns() - stamps[1] < 5_000_000_000


def check_held_buffers_starve_the_camera(library: ModuleType) -> None:
    with configured(library) as camera:
        camera.start()
        held: list[Any] = []
        assert type(raised(lambda: fill(held, camera))) is TimeoutError
        camera.cancel_all_and_flush()
        assert 1 <= len(held) < 20, len(held)
        held.pop().release()
        camera.capture_request(wait=LONG_S).release()
        for request in held:
            request.release()


def check_stop_and_start_again(library: ModuleType) -> None:
    with configured(library) as camera:
        camera.stop()
        for _ in range(2):
            camera.start()
            request = camera.capture_request(wait=LONG_S)
            camera.stop()
            camera.stop()
            assert request.make_array("main").shape == (720, 640)
            request.release()


def check_controls(library: ModuleType) -> None:
    with library.Picamera2(0) as camera:
        assert all(len(limits) == 3 for limits in camera.camera_controls.values())
        assert "FrameDurationLimits" in camera.camera_controls
        assert camera.camera_properties["Model"]
        error = raised(lambda: camera.set_controls({"Pinkness": 1}))
        assert type(error) is RuntimeError, repr(error)
        assert str(error) == "Control Pinkness is not advertised by libcamera", str(error)
        made = camera.create_video_configuration(controls={"Pinkness": 1})
        error = raised(lambda: camera.configure(made))
        assert type(error) is RuntimeError, repr(error)
        camera.set_controls({"FrameDurationLimits": (33333, 33333)})


def check_use_after_close(library: ModuleType) -> None:
    camera = configured(library)
    made = camera.create_video_configuration()
    camera.start()
    camera.close()
    camera.close()
    camera.stop()
    assert camera.camera_configuration() == {}
    assert camera.camera_properties == {}
    assert camera.camera_controls == {}
    error = raised(camera.create_video_configuration)
    assert type(error) is RuntimeError, repr(error)
    assert str(error) == "Camera not opened", str(error)
    error = raised(lambda: camera.configure(made))
    assert type(error) is AttributeError, repr(error)
    error = raised(lambda: camera.capture_array(wait=SHORT_S))
    assert type(error) is TimeoutError, repr(error)
    error = raised(camera.start)
    assert type(error) is TypeError, repr(error)


def check_close_while_a_capture_waits(library: ModuleType) -> None:
    camera = configured(library)
    camera.capture_request(wait=False)
    camera.close()
    camera = configured(library)
    camera.start()
    held: list[Any] = []
    assert type(raised(lambda: fill(held, camera))) is TimeoutError
    camera.capture_request(wait=False)
    camera.close()
    with configured(library) as camera:
        camera.start()
        assert camera.capture_array(wait=LONG_S) is not None


def check_close_lets_another_open(library: ModuleType) -> None:
    for _ in range(2):
        with configured(library) as camera:
            camera.start()
            assert camera.capture_array(wait=LONG_S) is not None


#: All of the checks, simple ones first.
CHECKS: tuple[Callable[[ModuleType], None], ...] = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_")
)
