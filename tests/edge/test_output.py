"""Writing results: whole or not at all, on a disk that is really full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import OutputError
from edge.output import make_folder, require_absent, require_space, whole_file, write_json


@pytest.fixture
def small_disk(make_disk: Callable[[int], Path]) -> Path:
    """A file system of 256 kB."""
    return make_disk(256)


def test_full_disk_leaves_the_old_file_and_nothing_else(small_disk: Path) -> None:
    path = small_disk / "result.json"
    write_json(path, {"old": 1})
    with pytest.raises(OutputError, match=r"no space left on the disk\. Free some space"):
        write_json(path, ["x" * 1000] * 1000)
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert [one.name for one in small_disk.iterdir()] == ["result.json"]


def test_work_that_would_not_fit_is_refused_before_it_starts(small_disk: Path) -> None:
    require_space(small_disk / "not" / "there" / "yet", 100_000)
    with pytest.raises(OutputError, match=r"needs 1 MB.*0 MB free"):
        require_space(small_disk / "run", 1_000_000)


def test_crash_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writer_sees_the_suffix_that_it_chooses_a_format_by(tmp_path: Path) -> None:
    with whole_file(tmp_path / "best.weights.h5") as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.touch()
    assert (tmp_path / "best.weights.h5").exists()


def test_existing_output_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputError, match="must not exist yet"):
        require_absent(tmp_path / "run")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="goes into a folder"):
        require_absent(tmp_path / "file" / "run")
    with pytest.raises(OutputError, match="must be writable"):
        make_folder(tmp_path / "file" / "run")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="must not exist yet"):
        require_absent(tmp_path / "link")
