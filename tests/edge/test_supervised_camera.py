"""A camera that is watched over: every fault is noticed, counted, and recovered from."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.cameras import Camera
from edge.cameras.backoff import BackOff
from edge.cameras.base import Frame
from edge.cameras.fake_picamera2 import installed
from edge.cameras.faults import Fault
from edge.cameras.frame_check import FrameCheck, FrameLimits
from edge.cameras.newest import NewestFrame
from edge.cameras.picamera2 import Picamera2Camera
from edge.cameras.replay import ReplayCamera
from edge.cameras.simulated import SimulatedCamera
from edge.cameras.supervised import SupervisedCamera
from edge.errors import CameraError
from edge.fault_log import FaultEvent
from tests.edge import camera_contract
from tests.edge.camera_stubs import grey, write
from tests.edge.faulty_camera import HEIGHT, NOTICED_AS, PERIOD_S, WIDTH, Bench, FaultyCamera

DEADLINE_S = 60.0
QUICK: dict[str, Any] = {
    "timeout_s": 0.5,
    "back_off": BackOff(first_s=0.02, longest_s=0.1),
    "limits": FrameLimits(lying_s=0.2),
}


def supervised(bench: Bench, **options: Any) -> SupervisedCamera:
    return SupervisedCamera(lambda: FaultyCamera(bench), **{**QUICK, **options})


def wait_for(
    camera: SupervisedCamera, wanted: Callable[[FaultEvent], bool]
) -> tuple[FaultEvent, list[FaultEvent]]:
    """Read until an event has come; return it with those before it."""
    before: list[FaultEvent] = []
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        camera.poll(0.05)
        for event in camera.log.take_events():
            if wanted(event):
                return event, before
            before.append(event)
    raise AssertionError(f"waited in vain; events so far: {before}")


def adds_up(camera: SupervisedCamera) -> bool:
    newest = camera.newest
    return newest.captured == newest.skipped + newest.refused + newest.taken


# The contract of any camera


@pytest.mark.parametrize("check", camera_contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("source", ["faulty", "simulated", "live simulated", "folder", "picamera2"])
def test_camera_contract(
    source: str, check: Callable[[camera_contract.Make], None], tmp_path: Path
) -> None:
    bench = Bench()
    for number in range(4):
        write(tmp_path / f"{number}.png", grey(100))
    makes: dict[str, camera_contract.Make] = {
        "faulty": lambda: FaultyCamera(bench),
        "simulated": lambda: SimulatedCamera(width=32, height=32),
        "live simulated": lambda: SimulatedCamera(width=32, height=32, frames_per_s=200.0),
        "folder": lambda: ReplayCamera(tmp_path),
        "picamera2": lambda: Picamera2Camera(0, 32, 32),
    }
    with installed():
        check(lambda: SupervisedCamera(makes[source]))
    assert bench.open_now == 0


# Faults


@pytest.mark.parametrize("what", NOTICED_AS)
def test_fault_is_noticed_counted_and_recovered_from(what: str) -> None:
    bench = Bench()
    with supervised(bench) as camera:
        first = camera.read(DEADLINE_S)
        bench.do(what)
        fault, _ = wait_for(camera, lambda event: event.kind == "fault")
        assert fault.fault in NOTICED_AS[what]
        assert fault.outage_s == 0.0
        assert camera.log.in_outage
        bench.do("good")
        recovered, _ = wait_for(camera, lambda event: event.kind == "recovered")
        assert recovered.fault == fault.fault
        assert recovered.at_s >= fault.at_s
        assert recovered.outage_s > 0.0
        frame = camera.read(DEADLINE_S)
        assert frame.sequence > first.sequence
        assert frame.captured_s > first.captured_s
        assert frame.pixels.shape == (HEIGHT, WIDTH, 3)
    assert camera.log.faults[fault.fault] >= 1
    assert camera.log.recoveries == 1
    assert adds_up(camera)
    if what in ("black", "frozen", "small", "garbage"):
        assert camera.log.refused[fault.fault] >= 2
    assert camera.log.refused.total() == camera.newest.refused


def test_slow_camera_is_no_fault() -> None:
    bench = Bench()
    bench.do("slow")
    with supervised(bench) as camera:
        numbers = [camera.read(DEADLINE_S).sequence for _ in range(20)]
        assert not camera.log.faults
    assert numbers == sorted(set(numbers))
    assert bench.openings == 1


def test_camera_is_tried_again_for_as_long_as_it_takes() -> None:
    bench = Bench()
    with supervised(bench) as camera:
        camera.read(DEADLINE_S)
        bench.do("unplugged")
        wait_for(camera, lambda event: camera.log.faults[Fault.ABSENT] >= 5)
        bench.do("good")
        event, _ = wait_for(camera, lambda event: event.kind == "recovered")
        assert event.fault == Fault.FAILED
    assert bench.openings == 2
    assert bench.open_now == 0


class RecordedBackOff(BackOff):
    """Waits next to nothing, and keeps what it was asked."""

    asked: list[int] = []  # noqa: RUF012

    def wait_s(self, tries: int) -> float:
        self.asked.append(tries)
        return 0.01


def test_waits_grow_until_a_good_frame_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    asked: list[int] = []
    monkeypatch.setattr(RecordedBackOff, "asked", asked)
    with supervised(bench, back_off=RecordedBackOff()) as camera:
        camera.read(DEADLINE_S)
        for _ in range(2):
            bench.do("unplugged")
            wait_for(camera, lambda event: len(asked) >= 5)
            bench.do("good")
            wait_for(camera, lambda event: event.kind == "recovered")
            assert asked == list(range(len(asked)))
            asked.clear()


def test_camera_that_fails_is_not_opened_before_its_wait_is_over() -> None:
    bench = Bench()
    with supervised(bench, back_off=BackOff(first_s=3600.0, longest_s=3600.0)) as camera:
        camera.read(DEADLINE_S)
        bench.do("crashing")
        wait_for(camera, lambda event: event.kind == "fault")
        bench.do("good")
        assert camera.poll(0.3) is None or camera.poll(0.3) is None
        assert bench.openings == 1


def test_frozen_camera_that_opens_to_the_same_frame_has_not_recovered() -> None:
    bench = Bench()
    frozen = bench.field()
    bench.field = lambda *size: frozen  # type: ignore[method-assign]
    with supervised(bench) as camera:
        _, before = wait_for(camera, lambda event: camera.log.faults[Fault.REPEATED] >= 3)
        assert all(event.kind == "fault" for event in before)
        # The very first frame, and one that might have been alike by chance.
        assert camera.newest.captured - camera.newest.refused <= 2


def test_camera_that_never_was_there_is_an_error() -> None:
    bench = Bench()
    bench.do("unplugged")
    camera = supervised(bench)
    with pytest.raises(CameraError, match="The device exists"):
        camera.open()
    with pytest.raises(CameraError, match="open while it is read"):
        camera.read()


def test_reading_a_camera_in_an_outage_says_what_is_wrong() -> None:
    bench = Bench()
    with supervised(bench) as camera:
        camera.read(DEADLINE_S)
        bench.do("unplugged")
        wait_for(camera, lambda event: event.kind == "fault")
        with pytest.raises(CameraError, match=r"absent|failed"):
            camera.read(timeout_s=0.1)


def test_hung_drivers_are_left_behind_in_bounded_number() -> None:
    bench = Bench()
    with supervised(bench) as camera:
        camera.read(DEADLINE_S)
        bench.do("hung")
        deadline = time.monotonic() + DEADLINE_S
        while camera.log.faults[Fault.HUNG] < 4:
            assert time.monotonic() < deadline
            camera.poll(0.05)
        for _ in range(20):
            camera.poll(0.05)
        assert camera.log.faults[Fault.HUNG] == 4
        bench.do("good")
        wait_for(camera, lambda event: event.kind == "recovered")
    deadline = time.monotonic() + DEADLINE_S
    while bench.open_now:
        assert time.monotonic() < deadline, "a thread that was left behind kept its camera"
        time.sleep(0.01)
    assert adds_up(camera)


def test_hung_driver_keeps_no_process_alive() -> None:
    program = (
        "from tests.edge.test_supervised_camera import *\n"
        "bench = Bench()\n"
        "with supervised(bench) as camera:\n"
        "    camera.read(60.0)\n"
        "    bench.do('hung')\n"
        "    wait_for(camera, lambda event: event.kind == 'fault')\n"
        "print('ended')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


# The newest frame


def test_newest_frame_wins_and_the_others_are_counted() -> None:
    bench = Bench()
    with supervised(bench) as camera:
        before = camera.read(DEADLINE_S)
        time.sleep(PERIOD_S * 20)
        asked_s = time.monotonic()
        frame = camera.read(DEADLINE_S)
        newer = camera.read(DEADLINE_S)
        assert frame.skipped >= 1
        assert frame.sequence == before.sequence + frame.skipped + 1
        assert newer.captured_s > asked_s
    assert adds_up(camera)
    assert camera.newest.taken == 3


def test_frames_are_handed_over_without_a_copy() -> None:
    newest = NewestFrame()
    frame = Frame(grey(9), 0, 0.0)
    newest.put(frame)
    taken = newest.take(0.0)
    assert taken is not None
    assert taken.pixels is frame.pixels


def test_every_frame_of_a_newest_frame_is_counted() -> None:
    newest = NewestFrame()
    frame = Frame(grey(9), 0, 0.0)
    newest.put(frame)
    newest.put(Frame(grey(9), 3, 0.0, skipped=2))
    newest.refuse(Frame(grey(9), 5, 0.0, skipped=1))
    newest.put(Frame(grey(9), 6, 0.0))
    taken = newest.take(0.0)
    assert taken is not None
    assert (taken.sequence, taken.skipped) == (6, 6)
    assert newest.take(0.0) is None
    newest.put(frame)
    newest.close()
    newest.put(frame)
    assert newest.take(0.0) is None
    assert (newest.captured, newest.skipped, newest.refused, newest.taken) == (9, 7, 1, 1)


def test_frame_that_a_hung_driver_hands_over_late_is_skipped() -> None:
    newest = NewestFrame()
    newest.put(Frame(grey(9), 0, 2.0))
    assert newest.take(0.0) is not None
    newest.put(Frame(grey(9), 1, 1.0))
    assert newest.take(0.0) is None
    newest.put(Frame(grey(9), 2, 3.0))
    taken = newest.take(0.0)
    assert taken is not None
    assert (taken.sequence, taken.skipped) == (2, 1)
    assert (newest.captured, newest.skipped, newest.taken) == (3, 1, 2)


def test_closing_from_under_a_reader_ends_in_an_error() -> None:
    bench = Bench()
    camera = supervised(bench)
    camera.open()
    said: list[BaseException | None] = []

    def read() -> None:
        try:
            while True:
                camera.read(DEADLINE_S)
        except CameraError as error:
            said.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(0.1)
    camera.close()
    reader.join(DEADLINE_S)
    assert len(said) == 1


# Sources that may rightly repeat themselves


def test_recording_that_repeats_itself_is_believed(tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / f"{number}.png", grey(0 if number % 2 else 120))
    with SupervisedCamera(lambda: ReplayCamera(tmp_path), **QUICK) as camera:
        frames = list(camera.frames())
    assert [frame.sequence for frame in frames] == list(range(30))
    assert camera.newest.refused == 0
    assert not camera.log.faults


def test_still_simulation_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cameras.simulated.render_field", lambda *given, **size: grey(120))
    with SupervisedCamera(SimulatedCamera, **QUICK) as camera:
        assert [frame.sequence for frame in camera.frames(limit=50)] == list(range(50))


def test_recording_that_fails_is_an_error_and_not_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"")
    camera = SupervisedCamera(lambda: ReplayCamera(tmp_path), **QUICK)
    with camera:
        with pytest.raises(CameraError, match="none of 1 could be read"):
            camera.read()
        assert [path.name for path in camera.unreadable] == ["0.png"]


def test_live_simulation_skips_what_is_not_read_in_time() -> None:
    with SimulatedCamera(width=16, height=16, frames_per_s=100.0) as camera:
        assert camera.read().sequence >= 0
        time.sleep(0.2)
        frame = camera.read()
        assert frame.skipped >= 10
        with pytest.raises(CameraError, match="frames a second"):
            SimulatedCamera(frames_per_s=0.0)
    with SimulatedCamera(width=16, height=16, frames_per_s=0.01) as camera:
        camera.read()
        with pytest.raises(CameraError, match=r"within 0\.05 s"):
            camera.read(timeout_s=0.05)


# What doubts the frames


def noise(seed: int, shape: tuple[int, ...] = (480, 640, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 250, shape).astype(np.uint8)


def noticed_after(pixels: Callable[[int], np.ndarray], frames_per_s: float) -> float | None:
    """Return the seconds of a fault until a camera is held to be lying; None if it never is."""
    check = FrameCheck()
    check.begin(0.0)
    for number in range(3):
        assert check.fault_of(noise(number), number / frames_per_s) is None
    began_s = 2 / frames_per_s
    for number in range(3, 400):
        now_s = number / frames_per_s
        check.fault_of(pixels(number), now_s)
        if check.is_lying(now_s):
            return now_s - began_s
    return None


@pytest.mark.parametrize("frames_per_s", [1.0, 5.0, 30.0, 60.0])
def test_lying_camera_is_noticed_within_3_seconds(frames_per_s: float) -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    for pixels in (black, noise(2), noise(9, (240, 320, 3)), noise(9)[..., 0]):
        after_s = noticed_after(lambda number, pixels=pixels: pixels, frames_per_s)
        assert after_s is not None
        assert after_s <= 3.0


def test_kinds_of_lies_in_turn_are_noticed() -> None:
    lies = [np.zeros((480, 640, 3), np.uint8), noise(9, (2, 2, 3)), noise(0)[..., :2]]
    after_s = noticed_after(lambda number: lies[number % 3], 30.0)
    assert after_s is not None
    assert after_s <= 3.0


def test_lie_now_and_then_is_refused_and_no_more() -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    assert noticed_after(lambda number: noise(number) if number % 3 else black, 30.0) is None


def test_frames_that_differ_in_one_pixel_are_no_repetition() -> None:
    still = noise(5)

    def almost_still(number: int) -> np.ndarray:
        pixels = still.copy()
        pixels[1, 1, 0] = number % 251
        return pixels

    assert noticed_after(almost_still, 30.0) is None


def test_overexposed_field_is_no_repetition() -> None:
    white = np.full((480, 640, 3), 255, np.uint8)
    assert noticed_after(lambda number: white, 30.0) is None


def test_green_of_a_broken_stream_is_one() -> None:
    green = np.full((480, 640, 3), (0, 135, 0), np.uint8)
    assert noticed_after(lambda number: green, 30.0) is not None


def test_back_off_grows_up_to_its_longest() -> None:
    waits = [BackOff().wait_s(tries) for tries in (0, 1, 2, 3, 4, 5, 6, 10**6)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_supervised_cameras_are_cameras() -> None:
    assert issubclass(SupervisedCamera, Camera)
