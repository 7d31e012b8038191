"""The cache of decoded images: never stale, never fatal."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from train import image_decoding
from train.image_cache import DecodedImages, ImageCache, cache_folder
from train.image_set import ImageSet, read_image_set

SIDE = 24


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own cache; files count as settled at once, so that tests need not wait."""
    monkeypatch.setenv("BLASTSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(image_decoding, "SETTLED_AFTER_S", 0.0)
    return tmp_path / "cache" / "images"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for label in ("Benign", "Pro"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(3):
            write(tmp_path / "data" / label / f"{number}.bmp", generator)
    return tmp_path / "data"


def write(path: Path, generator: np.random.Generator) -> None:
    """Write a BMP of noise: all such files have one size."""
    assert cv2.imwrite(str(path), generator.integers(0, 256, (30, 40, 3), np.uint8))


def decoded(seed: int = 0, count: int = 4) -> DecodedImages:
    generator = np.random.default_rng(seed)
    return DecodedImages(
        generator.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8),
        generator.integers(0, 256, (count, 8, 8), np.uint8),
        tuple(f"{seed}-{number}" for number in range(count)),
    )


def same(one: DecodedImages | ImageSet | None, other: DecodedImages | ImageSet) -> bool:
    return (
        one is not None
        and np.array_equal(one.images, other.images)
        and np.array_equal(one.thumbnails, other.thumbnails)
        and one.digests == other.digests
    )


def entries(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.exists() else []


def without_cache(data: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    with monkeypatch.context() as patch:
        patch.setenv("BLASTSCOPE_CACHE", "off")
        return read_image_set(data, SIDE, SIDE)


def test_second_reading_decodes_nothing(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_image_set(data, SIDE, SIDE)
    assert same(first, without_cache(data, monkeypatch))

    def decode(*arguments: object) -> None:
        raise RuntimeError("decoded again")

    monkeypatch.setattr("train.image_set.decode_images", decode)
    calls: list[tuple[int, int]] = []
    second = read_image_set(data, SIDE, SIDE, progress=lambda *call: calls.append(call))
    assert same(second, first)
    assert second.targets.tolist() == first.targets.tolist()
    assert calls == [(6, 6)]
    with pytest.raises(RuntimeError, match="decoded again"):
        read_image_set(data, SIDE, SIDE + 1)


def test_images_are_mapped_and_read_only_whether_cached_or_not(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image_set in (
        read_image_set(data, SIDE, SIDE),
        read_image_set(data, SIDE, SIDE),
        without_cache(data, monkeypatch),
    ):
        assert type(image_set.images) is np.ndarray
        with pytest.raises(ValueError, match="read-only"):
            image_set.images[0] = 0
        chosen = image_set.images[np.array([2, 0])]
        chosen[:] = 0
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        held = read_image_set(data, SIDE, SIDE)
        assert str(entries(cache)[0] / "images.npy") in mapped.read_text()
        assert len(held) == 6


def test_file_changed_in_place_is_read_again(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its old size, inode and time of modification, as some tools restore it."""
    before = read_image_set(data, SIDE, SIDE)
    path = data / "Pro" / "1.bmp"
    state = path.stat()
    with path.open("rb+") as file:
        file.seek(100)
        file.write(bytes(500))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_ino) == (state.st_size, state.st_ino)
    after = read_image_set(data, SIDE, SIDE)
    assert not np.array_equal(after.images[4], before.images[4])
    assert after.digest() != before.digest()
    assert same(after, without_cache(data, monkeypatch))


def test_changes_of_the_folder_are_seen(cache: Path, data: Path) -> None:
    assert len(read_image_set(data, SIDE, SIDE)) == 6
    (data / "Pro" / "1.bmp").rename(data / "Benign" / "9.bmp")
    assert read_image_set(data, SIDE, SIDE).targets.tolist() == [0, 0, 0, 0, 1, 1]
    (data / "Pro" / "2.bmp").unlink()
    assert len(read_image_set(data, SIDE, SIDE)) == 5
    write(data / "Pro" / "0.bmp", np.random.default_rng(9))
    changed = read_image_set(data, SIDE, SIDE)
    assert len(set(changed.digests)) == 5
    turned = read_image_set(data, SIDE, SIDE, labels=("Pro", "Benign"))
    assert turned.digests == (*changed.digests[4:], *changed.digests[:4])


def test_files_written_just_now_are_not_kept(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second change within one step of the file system's clock would not show."""
    monkeypatch.setattr(image_decoding, "SETTLED_AFTER_S", 3600.0)
    read_image_set(data, SIDE, SIDE)
    assert entries(cache) == []


def test_file_that_changes_while_it_is_read_is_not_kept(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(done: int, total: int) -> None:
        write(data / "Pro" / "0.bmp", np.random.default_rng(5))

    read_image_set(data, SIDE, SIDE, progress=change)
    assert entries(cache) == []
    after = read_image_set(data, SIDE, SIDE)
    assert same(after, without_cache(data, monkeypatch))


def test_other_code_or_another_opencv_has_another_key(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_decoding, "SETTLED_AFTER_S", 0.0)
    files = sorted(data.glob("*/*.bmp"))
    key = image_decoding.decoding_key(data, files, SIDE, SIDE)
    assert key == image_decoding.decoding_key(data, files, SIDE, SIDE)
    assert key != image_decoding.decoding_key(data, files, SIDE, SIDE + 1)
    monkeypatch.setattr(cv2, "__version__", "0.0")
    assert key != image_decoding.decoding_key(data, files, SIDE, SIDE)
    assert image_decoding.decoding_key(data, [data / "absent.bmp"], SIDE, SIDE) is None


def flip_pixel(entry: Path) -> None:
    with (entry / "images.npy").open("rb+") as file:
        file.seek(-7, os.SEEK_END)
        file.write(bytes([file.read(1)[0] ^ 1]))


def truncate(name: str, size: int) -> object:
    return lambda entry: os.truncate(entry / name, size)


DAMAGES = {
    "one pixel": flip_pixel,
    "short images": truncate("images.npy", 2000),
    "empty images": truncate("images.npy", 0),
    "short header": truncate("images.npy", 20),
    "no images": lambda entry: (entry / "images.npy").unlink(),
    "short facts": truncate("facts.json", 40),
    "other facts": lambda entry: (entry / "facts.json").write_text('{"digests": 3}'),
    "facts of another kind": lambda entry: (entry / "facts.json").write_text("[]"),
    "binary facts": lambda entry: (entry / "facts.json").write_bytes(b"\xff\xfe"),
    "other digest": lambda entry: (entry / "facts.json").write_text(
        (entry / "facts.json").read_text().replace('"0-1"', '"0-7"')
    ),
    "another type": lambda entry: (entry / "images.npy").write_bytes(
        (entry / "images.npy").read_bytes().replace(b"|u1", b"|i1")
    ),
    "a folder for a file": lambda entry: (
        (entry / "facts.json").unlink(),
        (entry / "facts.json").mkdir(),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_entry_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object
) -> None:
    cache = ImageCache(tmp_path / "images")
    expected = decoded()
    assert same(cache.store("key", expected), expected)
    assert same(cache.load("key"), expected)
    damage(tmp_path / "images" / "key")  # type: ignore[operator]
    assert cache.load("key") is None
    assert "A damaged entry of the image cache is made anew" in caplog.text
    assert entries(tmp_path / "images") == []
    assert cache.load("key") is None
    assert same(cache.store("key", expected), expected)
    assert same(cache.load("key"), expected)


def test_damaged_entry_does_not_reach_a_run(
    cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_image_set(data, SIDE, SIDE)
    flip_pixel(entries(cache)[0])
    assert same(read_image_set(data, SIDE, SIDE), without_cache(data, monkeypatch))
    assert len(entries(cache)) == 1


def test_unreadable_images_are_not_kept(cache: Path, data: Path) -> None:
    from train.image_set import read_usable_images

    (data / "Pro" / "text.jpg").write_text("no picture")
    for _ in range(2):
        image_set, unreadable = read_usable_images(data, SIDE, SIDE)
        assert len(image_set) == 6
        assert [one.path for one in unreadable] == ["Pro/text.jpg"]
    assert entries(cache) == []


def test_entries_used_longest_ago_make_room(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "images", max_bytes=1_030_000)
    size = sum(file.stat().st_size for file in (tmp_path / "images").rglob("*"))
    for number in range(3):
        cache.store(str(number), decoded(number))
        os.utime(tmp_path / "images" / str(number) / "facts.json", (number, number))
    assert cache.load("0") is not None
    cache.store("3", decoded(3))
    kept = {entry.name for entry in entries(tmp_path / "images")}
    assert {"0", "3"} <= kept
    assert "1" not in kept
    size = sum(file.stat().st_size for file in (tmp_path / "images").rglob("*"))
    assert size <= 1_030_000


def test_set_larger_than_the_cache_stays_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = ImageCache(tmp_path / "images", max_bytes=2_000_000)
    cache.store("small", decoded())
    large = decoded(1, count=2000)
    assert cache.store("large", large) is large
    assert "a set of 0.0 GB" in caplog.text
    assert cache.load("small") is not None


def test_remains_of_a_crashed_run_are_removed(tmp_path: Path) -> None:
    remains = tmp_path / "images" / ".writing-x"
    remains.mkdir(parents=True)
    (remains / "images.npy").write_bytes(b"half")
    cache = ImageCache(tmp_path / "images")
    cache.store("one", decoded())
    assert remains.exists()
    old = time.time() - 100_000
    os.utime(remains, (old, old))
    cache.store("two", decoded())
    assert [entry.name for entry in entries(tmp_path / "images")] == ["one", "two"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("FULL DISK UNTESTED: mounting a small file system takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_space_is_said_and_the_run_goes_on(
    small_disk: Path, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(image_decoding, "SETTLED_AFTER_S", 0.0)
    monkeypatch.setenv("BLASTSCOPE_CACHE", str(small_disk))
    (small_disk / "full").write_bytes(bytes(2_900_000))
    image_set = read_image_set(data, SIDE, SIDE)
    assert same(image_set, without_cache(data, monkeypatch))
    assert "MB free" in caplog.text
    assert "Free some space, name another folder with BLASTSCOPE_CACHE" in caplog.text
    assert not any((small_disk / "images").iterdir())


def test_disk_that_fills_up_while_writing_leaves_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another program may take the space after it was found to be enough."""
    monkeypatch.setattr("train.image_cache.require_space", lambda folder, needed: None)
    large = decoded(count=4000)
    assert large.images.nbytes > 3_000_000
    assert ImageCache(small_disk / "images").store("key", large) is large
    assert "cannot be written" in caplog.text
    assert not any((small_disk / "images").iterdir())


def test_full_disk_takes_old_entries_first(small_disk: Path) -> None:
    cache = ImageCache(small_disk / "images")
    for number in range(4):
        expected = decoded(number, count=500)
        assert same(cache.store(str(number), expected), expected)
        assert same(cache.load(str(number)), expected)
    assert cache.load("0") is None


def test_place_that_cannot_be_written_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    images = decoded()
    assert ImageCache(tmp_path / "file" / "images").store("key", images) is images
    assert ImageCache(tmp_path / "file" / "images").load("key") is None
    assert "Not a directory" in caplog.text or "File exists" in caplog.text


def test_note_on_a_terminal_is_one_line(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").touch()
    program = (
        "import sys, pathlib, train.image_decoding as d; d.SETTLED_AFTER_S = 0\n"
        "from train.image_set import read_image_set\n"
        "print(len(read_image_set(pathlib.Path(sys.argv[1]), 24, 24)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(data)],
        env={**os.environ, "BLASTSCOPE_CACHE": str(tmp_path / "file")},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "6\n"
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("The image cache ")


def test_two_processes_at_once(tmp_path: Path, data: Path) -> None:
    """Both write, and find the other's entry, whole, or their own."""
    program = (
        "import sys, pathlib, train.image_decoding as d; d.SETTLED_AFTER_S = 0\n"
        "from train.image_set import read_image_set\n"
        "from train.image_cache import ImageCache, _remove, cache_folder\n"
        "input()\n"
        "digests = set()\n"
        "for turn in range(24):\n"
        "    one = read_image_set(pathlib.Path(sys.argv[1]), 24, 24)\n"
        "    digests.add((one.digest(), one.images.tobytes(), one.thumbnails.tobytes()))\n"
        "    if turn % 3 == 0:\n"
        "        for entry in cache_folder().glob('[!.]*'): _remove(entry)\n"
        "assert len(digests) == 1\n"
        "print(one.digest())\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(data)],
            env={**os.environ, "BLASTSCOPE_CACHE": str(tmp_path / "cache")},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    results = [worker.communicate("go\n", timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], results
    assert len({out for out, _ in results}) == 1
    assert all(not error for _, error in results), results
    assert not list((tmp_path / "cache" / "images").glob(".*"))


def test_entry_in_use_survives_its_removal(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "images")
    expected = decoded()
    held = cache.store("key", expected)
    shutil.rmtree(tmp_path / "images")
    assert same(held, expected)


def test_place_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BLASTSCOPE_CACHE", "off")
    assert cache_folder() is None
    monkeypatch.setenv("BLASTSCOPE_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine" / "images"
    monkeypatch.delenv("BLASTSCOPE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "blastscope" / "images"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "blastscope" / "images"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "blastscope" / "images"


def test_only_its_owner_may_look_inside(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "images")
    cache.store("key", decoded())
    assert (tmp_path / "images").stat().st_mode & 0o077 == 0


def test_nothing_is_logged_when_all_is_well(
    cache: Path, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="blastscope"):
        read_image_set(data, SIDE, SIDE)
        read_image_set(data, SIDE, SIDE)
    assert caplog.text == ""
