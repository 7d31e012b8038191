"""What every camera must do: checks that take a function making a camera, not yet open.

They are plain functions so that they also run where there is no pytest, beside a real picamera2.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from edge.cameras.base import Camera
from edge.errors import CameraError

Make = Callable[[], Camera]


def check_frames_are_rgb_uint8(make: Make) -> None:
    with make() as camera:
        frames = list(camera.frames(limit=3))
    assert len(frames) == 3
    for frame in frames:
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.ndim == 3
        assert frame.pixels.shape[2] == 3
        assert frame.pixels.flags["C_CONTIGUOUS"]
        assert frame.pixels.shape == frames[0].pixels.shape


def check_numbers_count_every_frame(make: Make) -> None:
    with make() as camera:
        frames = list(camera.frames(limit=3))
    expected = 0
    for frame in frames:
        assert frame.skipped >= 0
        assert frame.sequence == expected + frame.skipped, (frame.sequence, expected)
        expected = frame.sequence + 1


def check_times_are_of_the_monotonic_clock(make: Make) -> None:
    before = time.monotonic()
    with make() as camera:
        times = [frame.captured_s for frame in camera.frames(limit=3)]
    after = time.monotonic()
    assert times == sorted(times)
    assert before - 1.0 <= times[0] <= times[-1] <= after, (before, times, after)


def check_frames_keep_their_own_pixels(make: Make) -> None:
    with make() as camera:
        first, second = camera.frames(limit=2)
        kept = first.pixels.copy()
        second.pixels[:] = 0
        assert not np.shares_memory(first.pixels, second.pixels)
        assert np.array_equal(first.pixels, kept)


def check_reading_needs_an_open_camera(make: Make) -> None:
    camera = make()
    assert _reading_fails(camera), "a camera never opened was read"
    camera.open()
    assert camera.read() is not None
    camera.close()
    assert _reading_fails(camera), "a closed camera was read"


def check_closing_twice_is_harmless(make: Make) -> None:
    camera = make()
    camera.close()
    camera.open()
    camera.close()
    camera.close()


def check_opening_again_starts_afresh(make: Make) -> None:
    camera = make()
    for _ in range(2):
        with camera:
            frame = camera.read()
            assert frame is not None
            assert frame.sequence == frame.skipped
            assert camera.read() is not None


def check_leaving_a_block_by_an_error_closes(make: Make) -> None:
    camera = make()
    try:
        with camera:
            raise KeyError("a fault of the caller's")
    except KeyError:
        pass
    assert _reading_fails(camera)


def check_a_name_says_what_it_is(make: Make) -> None:
    camera = make()
    assert camera.name
    assert camera.name == str(camera.name)


def check_left_is_red_and_right_is_blue(make: Make) -> None:
    """Only for a camera that is shown a field whose left half is red and right half blue."""
    with make() as camera:
        frame = camera.read()
    assert frame is not None
    width = frame.pixels.shape[1]
    left = frame.pixels[:, : width // 2 - 8].reshape(-1, 3).mean(axis=0)
    right = frame.pixels[:, width // 2 + 8 :].reshape(-1, 3).mean(axis=0)
    for mean, expected in ((left, RED), (right, BLUE)):
        assert np.abs(mean - expected).max() < 12, (mean, expected)


def check_stills(make: Make) -> None:
    """Only for a camera with stills, shown a field whose left half is red and right half blue."""
    camera = make()
    with camera:
        # More than there are buffers: those of dropped frames go back.
        for frame in camera.frames(limit=20):
            assert frame.still is not None
            pixels = frame.still.pixels()
            assert pixels.dtype == np.uint8
            assert pixels.shape[0] >= frame.pixels.shape[0]
            assert np.abs(pixels[8, 8].astype(int) - RED).max() < 12, pixels[8, 8]
            assert np.abs(pixels[8, -8].astype(int) - BLUE).max() < 12, pixels[8, -8]
        kept = frame.still
    try:
        kept.pixels()
    except CameraError:
        return
    raise AssertionError("a still outlived its camera")


RED = (200, 40, 40)
BLUE = (40, 40, 200)


def red_and_blue(width: int = 640, height: int = 480) -> np.ndarray:
    """Return the field for the colour check: RGB, uint8, (height, width, 3)."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2] = RED
    pixels[:, width // 2 :] = BLUE
    return pixels


def _reading_fails(camera: Camera) -> bool:
    try:
        camera.read(timeout_s=0.05)
    except CameraError as error:
        return "open" in str(error)
    return False


#: The checks for any camera at all.
CHECKS: tuple[Callable[[Make], None], ...] = (
    check_frames_are_rgb_uint8,
    check_numbers_count_every_frame,
    check_times_are_of_the_monotonic_clock,
    check_frames_keep_their_own_pixels,
    check_reading_needs_an_open_camera,
    check_closing_twice_is_harmless,
    check_opening_again_starts_afresh,
    check_leaving_a_block_by_an_error_closes,
    check_a_name_says_what_it_is,
)
