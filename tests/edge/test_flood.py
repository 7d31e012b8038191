"""Every fault that a station can meet, in random order, in one process that must outlive them."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.edge.mjpeg_server import Stream, serving
from tests.edge.small_model import make_model
from tests.edge.test_watching import counts_of

DEADLINE_S = 200.0
YEAR_S = 365 * 24 * 3600
CAMERA = ("killed", "frozen", "silent", "black", "small", "damaged", "endless")
OTHERS = ("slow", "disk full", "model removed", "model replaced", "clock")


def preload_clock(folder: Path) -> Path:
    """Compile the clock that jumps."""
    if shutil.which("cc") is None:
        pytest.skip("JUMPING CLOCK UNTESTED: this system has no C compiler")
    library = folder / "clock.so"
    source = Path(__file__).with_name("jumping_clock.c")
    command = ["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"]
    subprocess.run(list(map(str, command)), check=True)
    return library


class Station:
    """A process of `blastscope watch`, the world around it, and what it has written so far."""

    def __init__(self, folder: Path, disk: Path, address: str, stream: Stream) -> None:
        self.stream = stream
        self.disk = disk
        self.model = folder / "model.tflite"
        self.model.write_bytes(make_model())
        self.offset = folder / "offset"
        self.offset.write_text("0")
        self.results, self.notes = disk / "results.jsonl", folder / "notes"
        self.rows: list[dict[str, Any]] = []
        self._place = 0
        self._until = time.monotonic() + DEADLINE_S
        words = ["watch", "--camera", "mjpeg", "--source", address, "--timeout", "1", "--json"]
        environment = {
            **os.environ,
            "LD_PRELOAD": str(preload_clock(folder)),
            "CLOCK_OFFSET": str(self.offset),
        }
        with self.results.open("w") as results, self.notes.open("w") as notes:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge.cli", *words, "--model", str(self.model)],
                stdout=results,
                stderr=notes,
                env=environment,
            )

    def read(self) -> list[dict[str, Any]]:
        """Return the lines that were finished since the last call."""
        with self.results.open("rb") as file:
            file.seek(self._place)
            whole = file.read().rpartition(b"\n")[0]
        self._place += len(whole) + bool(whole)
        fresh = [json.loads(line) for line in whole.splitlines()]
        self.rows += fresh
        return fresh

    def wait(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Return the first line from now on that is wanted."""
        while True:
            for row in self.read():
                if wanted(row):
                    return row
            assert self.process.poll() is None, f"ended while waiting for {what}: {self.said()}"
            assert time.monotonic() < self._until, f"waited in vain for {what}: {self.said()}"
            time.sleep(0.02)

    def event(self, kind: str, *faults: str) -> None:
        self.wait(
            lambda row: row.get("event") == kind and (not faults or row["fault"] in faults),
            f"{kind} {faults}",
        )

    def frames(self, count: int) -> None:
        for _ in range(count):
            self.wait(lambda row: "label" in row, "a frame")

    def said(self) -> str:
        return self.notes.read_text()

    def suffer(self, what: str) -> None:
        """Bring a fault about, see that it is told, end it, and see that this is told too."""
        if what in CAMERA:
            self.stream.doing = what
            self.event("fault")
            self.stream.doing = "good"
            self.event("recovered")
        elif what == "slow":
            period_s, self.stream.period_s = self.stream.period_s, 0.3
            self.frames(3)
            self.stream.period_s = period_s
        elif what == "disk full":
            self.fill_the_disk()
        elif what == "clock":
            before = datetime.fromisoformat(self.wait(lambda row: "label" in row, "")["wall_clock"])
            self.offset.write_text(str(-YEAR_S))
            self.wait(
                lambda row: (
                    datetime.fromisoformat(row["wall_clock"]) < before - timedelta(days=300)
                ),
                "last year",
            )
            self.frames(3)
            self.offset.write_text("0")
            self.wait(lambda row: datetime.fromisoformat(row["wall_clock"]) > before, "this year")
        else:
            kept = self.model.with_suffix(".kept")
            self.model.rename(kept)
            if what == "model replaced":
                self.model.write_bytes(make_model("other"))
            self.event("fault", "model-gone" if what == "model removed" else "model-replaced")
            self.frames(3)
            kept.rename(self.model)
            self.event("recovered", "model-gone", "model-replaced")

    def fill_the_disk(self) -> None:
        ballast = self.disk / "ballast"
        full = self.said().count("fault: disk-full")
        with ballast.open("wb", buffering=0) as file:
            while self.said().count("fault: disk-full") == full:
                assert time.monotonic() < self._until, self.said()
                try:
                    file.write(bytes(2**16))
                except OSError as error:
                    assert error.errno == errno.ENOSPC
                    # The last page of the results has room for a while.
                    time.sleep(0.02)
        time.sleep(0.3)
        ballast.unlink()
        self.event("recovered", "disk-full")


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_flood(tmp_path: Path, make_disk: Callable[[int], Path], seed: int) -> None:
    chance = random.Random(seed)
    plan = [*CAMERA, *OTHERS, "disk full"]
    chance.shuffle(plan)
    stream = Stream()
    stream.period_s = 0.02
    with serving(stream) as address:
        station = Station(tmp_path, make_disk(32 * 1024), address, stream)
        try:
            station.frames(5)
            for what in plan:
                station.suffer(what)
                station.frames(chance.randint(1, 10))
            # It is told to end in the middle of a last fault.
            stream.doing = chance.choice(CAMERA)
            station.event("fault")
            station.process.send_signal(signal.SIGTERM)
            code = station.process.wait(30)
        finally:
            station.process.kill()
            station.process.wait()
    station.read()
    said = station.said()
    assert code == 0, said
    assert "Stopped." in said
    assert "Traceback" not in said

    rows = [row for row in station.rows if "label" in row]
    counts = counts_of(said)
    assert counts["classified"] == len(rows)
    assert counts["captured"] == counts["classified"] + counts["skipped"] + counts["failed"]
    numbers = [row["sequence"] for row in rows]
    assert numbers == sorted(set(numbers))
    times = [row["captured_s"] for row in rows]
    assert times == sorted(times), "the wall clock's jumps reached the order of frames"

    events = [row for row in station.rows if row.get("event") in ("fault", "recovered")]
    told = Counter(row["fault"] for row in events if row["event"] == "fault")
    counted: Counter[str] = Counter()
    for each in re.findall(r"(?:Camera|Output|Model) faults: (.*)\.\n", said):
        counted.update(
            {name: int(n) for name, n in (one.rsplit(" ", 1) for one in each.split(", "))}
        )
    assert counted == told
    assert told["disk-full"] >= 2
    assert told["model-gone"] + told["model-replaced"] >= 2
    recovered = sum(row["event"] == "recovered" for row in events)
    assert recovered == sum(map(int, re.findall(r"Recovered (\d+) times\.", said)))
    assert recovered >= len(CAMERA) + 4
    assert sorted(Path(station.disk).iterdir()) == [station.results]
