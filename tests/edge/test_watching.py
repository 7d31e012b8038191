"""Watching a camera through every fault: no silence, no frame unaccounted for, no memory lost."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.cameras.backoff import BackOff
from edge.cameras.frame_check import FrameLimits
from edge.cameras.replay import ReplayCamera
from edge.cameras.supervised import SupervisedCamera
from edge.classifier import Classifier
from edge.cli.options import StopRequest
from edge.errors import BlastscopeError, FrameError
from edge.fault_log import FaultEvent
from edge.watching import WatchCounts, WatchedFrame, watch
from tests.edge.camera_stubs import grey, write
from tests.edge.faulty_camera import NOTICED_AS, Bench, FaultyCamera
from tests.edge.mjpeg_server import Stream, serving
from tests.edge.small_model import make_model

DEADLINE_S = 240.0
COUNTS = re.compile(
    r"(\d+) frames classified \(.*\), (\d+) skipped, (\d+) failed, of (\d+) captured\."
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.tflite"
    path.write_bytes(make_model())
    return path


@contextmanager
def watching(
    model: Path | str, *words: object, deadline_s: float | None = DEADLINE_S
) -> Iterator[subprocess.Popen[str]]:
    """Run the command; kill it when the test takes too long, or fails."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "watch", "--json", "--model", model, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = threading.Timer(deadline_s or threading.TIMEOUT_MAX, process.kill)
    deadline.daemon = True
    deadline.start()
    try:
        yield process
    finally:
        deadline.cancel()
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what is still to be read, of which `communicate` drops what was read ahead."""
    assert process.stdout is not None
    assert process.stderr is not None
    rest, said = process.stdout.read(), process.stderr.read()
    process.wait()
    return rest, said


def counts_of(said: str) -> dict[str, int]:
    found = COUNTS.search(said)
    assert found is not None, said
    names = ("classified", "skipped", "failed", "captured")
    return dict(zip(names, map(int, found.groups()), strict=True))


# In this process: a device that fails in every way, drivers that hang among them


class JumpingClock:
    """A clock that someone sets back by a year, again and again."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(days=-365) if self.now.second % 10 == 9 else timedelta(seconds=1)
        return self.now


@pytest.mark.parametrize("seed", [0, 1])
def test_flood_of_faults(model: Path, seed: int) -> None:
    chance = random.Random(seed)
    bench = Bench(seed)
    plan = [*NOTICED_AS, "slow", *chance.choices(list(NOTICED_AS), k=4)]
    chance.shuffle(plan)
    wanted = [what for what in plan if what != "slow"]
    doing: list[str] = []
    events: list[FaultEvent] = []
    rows: list[WatchedFrame] = []
    counts = WatchCounts()
    good = 5
    patience = 0
    done = threading.Event()

    def on_event(event: FaultEvent) -> None:
        nonlocal good, patience
        events.append(event)
        if event.kind == "recovered":
            doing.clear()
            good = chance.randint(1, 20)
            return
        assert event.fault in NOTICED_AS[doing[0]], (event, doing)
        patience -= 1
        if patience <= 0:
            bench.do("good")

    camera = SupervisedCamera(
        lambda: FaultyCamera(bench),
        timeout_s=0.5,
        back_off=BackOff(first_s=0.02, longest_s=0.1),
        limits=FrameLimits(lying_s=0.2),
    )
    deadline = threading.Timer(DEADLINE_S, lambda: plan.append("too late"))
    deadline.start()
    with Classifier.load(model) as classifier, camera:
        for watched in watch(
            camera,
            classifier,
            counts=counts,
            on_event=on_event,
            should_stop=lambda: done.is_set() or "too late" in plan,
            clock=JumpingClock(),
        ):
            rows.append(watched)
            good -= 1
            if good > 0 or (doing and doing != ["slow"]):
                continue
            if not plan:
                done.set()
                continue
            doing[:] = [plan.pop()]
            bench.do(doing[0])
            good = chance.randint(1, 5)
            patience = chance.randint(1, 3)
    deadline.cancel()
    counts.take_over(camera)

    assert plan == [], "a fault was not noticed, or not recovered from"
    assert camera.log.recoveries == len(wanted)
    assert [event.kind for event in events].count("recovered") == len(wanted)
    told = [event for event in events if event.kind == "fault"]
    assert camera.log.faults.total() == len(told)
    assert counts.classified == len(rows)
    assert counts.captured == counts.classified + counts.skipped + counts.failed
    assert counts.refused == camera.log.refused.total() > 0
    numbers = [row.frame.sequence for row in rows]
    assert numbers == sorted(set(numbers))
    assert len(rows) + sum(row.frame.skipped for row in rows) == numbers[-1] + 1
    times = [row.frame.captured_s for row in rows]
    assert times == sorted(times)
    walls = [row.wall_clock for row in rows]
    assert walls != sorted(walls), "the clock was meant to jump"
    assert bench.open_now == 0


def test_frames_that_the_classifier_refuses_are_counted(model: Path, tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"{number}.png", grey(number))
    counts = WatchCounts()
    camera = SupervisedCamera(lambda: ReplayCamera(tmp_path))
    with Classifier.load(model) as classifier, camera:
        refuse = classifier.classify
        seen: list[int] = []

        def every_other(pixels: object) -> object:
            seen.append(1)
            if len(seen) % 2:
                raise FrameError("A frame is RGB")
            return refuse(pixels)  # type: ignore[arg-type]

        classifier.classify = every_other  # type: ignore[assignment, method-assign]
        rows = list(watch(camera, classifier, counts=counts))
    counts.take_over(camera)
    assert len(rows) == counts.classified == counts.unclassified == 3
    assert counts.captured == 6 == counts.classified + counts.skipped + counts.failed


def test_inference_goes_on_while_a_result_is_dealt_with_and_no_queue_grows(model: Path) -> None:
    bench = Bench()
    counts = WatchCounts()
    camera = SupervisedCamera(lambda: FaultyCamera(bench))
    with Classifier.load(model) as classifier, camera:
        rows = watch(camera, classifier, counts=counts)
        first = next(rows)
        until = time.monotonic() + DEADLINE_S
        while counts.classified < 3 or camera.newest.captured < 200:
            assert time.monotonic() < until, "nothing went on behind the result in hand"
            time.sleep(0.01)
        assert counts.classified == 3, "the one in hand, the next, and one that waits for room"
        seen = [first, *itertools.islice(rows, 10)]
        assert seen[-1].frame.skipped < 100 < sum(row.frame.skipped for row in seen)
        rows.close()
    assert [one for one in threading.enumerate() if one.name == "inference"] == []


def test_stop_yields_what_is_in_hand(model: Path) -> None:
    bench = Bench()
    counts = WatchCounts()
    camera = SupervisedCamera(lambda: FaultyCamera(bench))
    stopped = threading.Event()
    rows = []
    with Classifier.load(model) as classifier, camera:
        for watched in watch(camera, classifier, counts=counts, should_stop=stopped.is_set):
            rows.append(watched)
            while not stopped.is_set() and counts.classified < 3:
                time.sleep(0.01)
            stopped.set()
    counts.take_over(camera)
    assert len(rows) == counts.classified >= 3
    assert counts.captured == counts.classified + counts.skipped + counts.failed


def test_inference_that_fails_is_an_error(model: Path) -> None:
    camera = SupervisedCamera(lambda: FaultyCamera(Bench()))
    with Classifier.load(model) as classifier, camera:
        rows = watch(camera, classifier)
        next(rows)
        classifier.close()
        with pytest.raises(BlastscopeError, match="closed classifier"):
            list(rows)


def test_limit_counts_results(model: Path) -> None:
    bench = Bench()
    camera = SupervisedCamera(lambda: FaultyCamera(bench))
    with Classifier.load(model) as classifier, camera:
        assert len(list(watch(camera, classifier, 3))) == 3
        assert list(watch(camera, classifier, should_stop=lambda: True)) == []


# In a process of its own, with a real server as the camera, and real signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_flood_of_faults_ends_with_a_signal(model: Path, number: signal.Signals) -> None:
    chance = random.Random(int(number))
    plan = ["killed", "frozen", "silent", "black", "small", "damaged", "endless"]
    if number == signal.SIGINT:
        plan = chance.sample(plan, 2)
    faults = len(plan)
    chance.shuffle(plan)
    stream = Stream()
    rows: list[dict[str, object]] = []
    events: list[dict[str, object]] = []
    with (
        serving(stream) as address,
        watching(model, "--camera", "mjpeg", "--source", address, "--timeout", 1) as process,
    ):
        assert process.stdout is not None
        good = 5
        for line in process.stdout:
            row = json.loads(line)
            if "event" not in row:
                rows.append(row)
                good -= 1
                if good == 0 and plan:
                    stream.doing = plan.pop()
                continue
            events.append(row)
            if row["event"] == "recovered":
                good = chance.randint(1, 20)
            elif plan:
                stream.doing = "good"
            else:
                break  # in the middle of the last fault
        process.send_signal(number)
        rest, said = finish(process)
    for line in rest.splitlines():
        row = json.loads(line)
        (events if "event" in row else rows).append(row)
    assert process.returncode == 0, said
    assert "Stopped." in said
    assert "Traceback" not in said
    counts = counts_of(said)
    assert counts["classified"] == len(rows)
    assert counts["captured"] == counts["classified"] + counts["skipped"] + counts["failed"]
    assert f"Recovered {faults - 1} times." in said
    told = re.search(r"Camera faults: (.*)\.\n", said)
    assert told is not None
    counted = dict(each.rsplit(" ", 1) for each in told[1].split(", "))
    for fault, count in counted.items():
        assert int(count) == sum(
            event["event"] == "fault" and event["fault"] == fault for event in events
        )
    numbers = [row["sequence"] for row in rows]
    assert numbers == sorted(set(numbers))
    wanted = {"sequence", "captured_s", "skipped", "label", "scores", "timing_ms", "wall_clock"}
    assert all(wanted | {"model"} <= set(row) for row in rows)
    wanted = {"event", "fault", "message", "at_s", "outage_s", "wall_clock"}
    assert all(wanted == set(event) for event in events)


def test_faults_are_told_in_words_too(model: Path) -> None:
    stream = Stream()
    command = [sys.executable, "-m", "edge.cli", "watch", "--camera", "mjpeg", "--model", model]
    with serving(stream) as address:
        process = subprocess.Popen(
            [*command, "--source", address, "--timeout", "0.5"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = threading.Timer(DEADLINE_S, process.kill)
        deadline.start()
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        stream.doing = "killed"
        said = process.stderr.readline()
        while "Camera fault" not in said:
            assert said
            said = process.stderr.readline()
        assert "Camera fault: failed. mjpeg:http://127.0.0.1" in said
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
        deadline.cancel()
    assert process.returncode == 0
    assert "Camera faults: " in said
    assert "Recovered 0 times." in said


def test_stopping_finishes_the_frame_in_hand(model: Path) -> None:
    """What was classified was printed: the counts say so, however the signal falls."""
    for wait_s in (0.0, 0.01, 0.02, 0.03):
        with watching(model, "--camera", "simulated", "--width", 32, "--height", 32) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            threading.Event().wait(wait_s)
            process.send_signal(signal.SIGTERM)
            rest, said = finish(process)
        rows = [json.loads(line) for line in [first, *rest.splitlines()]]
        assert counts_of(said)["classified"] == len(rows)
        assert process.returncode == 0


def test_first_signal_asks_and_the_second_interrupts() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    stop = StopRequest()
    try:
        stop.listen()
        assert not stop.is_made
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_made
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--camera", "mjpeg"], "needs --source"),
        (["--camera", "mjpeg", "--source", "/dev/video0"], "begins with http://"),
        (["--camera", "mjpeg", "--source", "http://127.0.0.1:9/"], "refused"),
        (["--camera", "simulated", "--lock-exposure"], "--camera picamera2"),
        (["--camera", "simulated", "--rate", "0"], "--rate"),
    ],
)
def test_cameras_that_cannot_be_are_refused(model: Path, words: list[str], said: str) -> None:
    with watching(model, *words) as process:
        printed, told = process.communicate()
    assert process.returncode == 2
    assert said in told
    assert "Traceback" not in told
    assert printed == ""


def test_locked_exposure_of_the_command_outlives_its_camera(model: Path) -> None:
    """A camera that fails once keeps what was measured at the start."""
    program = f"""
import sys
from edge.cameras import fake_picamera2
from edge.cli.main import run

def frames(number):
    if number == 40 and not broken:
        broken.append(number)
        raise RuntimeError("a camera that fails once")
    return fake_picamera2._source_of(None)(number, 64, 48)

broken = []
measured = []
inner = fake_picamera2.Picamera2.capture_metadata
fake_picamera2.Picamera2.capture_metadata = lambda *given, **more: (
    measured.append(1), inner(*given, **more))[1]
words = ["--lock-exposure", "--frames", "40", "--width", "64", "--height", "48", "--json"]
with fake_picamera2.installed(frames=frames):
    code = run(["watch", "--camera", "picamera2", "--model", {str(model)!r}, *words])
sys.exit(code or (broken != [40]) or (len(measured) != 8))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "Camera faults: failed 1." in done.stderr
    assert "Recovered 1 times." in done.stderr


def resident_mb(process: subprocess.Popen[str]) -> float:
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) / 1024  # type: ignore[index]


def soak(model: Path | str, frames: int, *words: object) -> dict[str, int]:
    """Watch, account for each frame, and measure what memory grows by after the 1,000th."""
    size = ["--width", 32, "--height", 32, "--threads", 1, "--frames", frames]
    with watching(model, "--camera", "simulated", *size, *words, deadline_s=None) as process:
        assert process.stdout is not None
        accounted = classified = 0
        for line in process.stdout:
            row = json.loads(line)
            if "event" in row:
                continue
            classified += 1
            accounted += 1 + row["skipped"]
            assert row["sequence"] == accounted - 1
            if classified == 1000:
                before_mb = resident_mb(process)
            elif classified == frames - 10:
                growth_mb = resident_mb(process) - before_mb
        _, said = process.communicate()
    counts = counts_of(said)
    sys.stdout.write(f"{frames} frames, {growth_mb:.2f} MB more than after 1000; {counts}\n")
    assert process.returncode == 0
    assert growth_mb < 5.0
    assert counts["classified"] == frames == classified
    assert counts["captured"] == counts["classified"] + counts["skipped"] + counts["failed"]
    return counts


@pytest.mark.slow
def test_soak() -> None:
    """A quarter of an hour of a free core; BLASTSCOPE_SOAK_FRAMES names another length."""
    frames = int(os.environ.get("BLASTSCOPE_SOAK_FRAMES", "100000"))
    assert soak("fast", frames)["captured"] == frames


@pytest.mark.slow
def test_soak_of_a_live_camera(model: Path) -> None:
    soak(model, 5000, "--rate", 500)
