"""Lines on a disk that is full for a while: none is torn, doubled or silently lost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.patient_lines import PatientLines
from tests.edge.small_model import make_model

LINE = "x" * 999


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    return ballast


def test_lines_wait_for_room_and_keep_their_order(make_disk: Callable[[int], Path]) -> None:
    disk = make_disk(64)
    path = disk / "lines"
    with path.open("w") as stream:
        lines = PatientLines(stream, "results")
        lines.write(f"first {LINE}")
        ballast = fill(disk)
        for number in range(20):
            lines.write(f"{number} {LINE}")
        assert 10 < lines.waiting <= 20
        (event,) = lines.log.take_events()
        assert (event.kind, event.fault) == ("fault", "disk-full")
        ballast.unlink()
        lines.retry()
        assert lines.waiting == lines.lost == 0
        assert [event.kind for event in lines.log.take_events()] == ["recovered"]
        lines.write("last")
        assert lines.give_up() == 0
    written = path.read_text().splitlines()
    assert written == [f"first {LINE}", *(f"{number} {LINE}" for number in range(20)), "last"]


def test_lines_that_never_found_room_are_counted_and_none_is_torn(
    make_disk: Callable[[int], Path],
) -> None:
    disk = make_disk(64)
    path = disk / "lines"
    with path.open("w") as stream:
        lines = PatientLines(stream, "results", most_waiting=5)
        lines.write(f"first {LINE}")
        fill(disk)
        for number in range(20):
            lines.write(f"{number} {LINE}")
        assert lines.waiting == 5
        before = lines.lost
        assert lines.give_up() == before + 5
    written = path.read_text().splitlines()
    assert all(line.endswith(LINE) for line in written)
    assert len(written) + before + 5 == 21


def test_reader_that_has_gone_is_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        lines = PatientLines(stream, "results")
        with pytest.raises(BrokenPipeError):
            lines.write("anybody there")


def test_stream_that_is_no_file_is_written_to() -> None:
    stream = io.StringIO()
    lines = PatientLines(stream, "results")
    lines.write("one")
    assert lines.give_up() == 0
    assert stream.getvalue() == "one\n"


def test_watch_that_never_finds_room_says_what_was_lost(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("FULL DISK UNTESTED: this system has no /dev/full")
    model = tmp_path / "small.tflite"
    model.write_bytes(make_model())
    words = ["watch", "--camera", "simulated", "--width", "32", "--height", "32", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edge.cli", *words, "--frames", "4", "--model", str(model)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "Station fault: disk-full" in done.stderr
    assert "4 frames classified" in done.stderr
    assert "no space left on the disk, and 5 lines lost" in done.stderr
    assert "Traceback" not in done.stderr
