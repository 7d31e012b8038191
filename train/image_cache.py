"""Decoded images kept between runs, as files that several runs map into memory at once.

The cache is `$BLASTSCOPE_CACHE`, else `$XDG_CACHE_HOME/blastscope`, else `~/.cache/blastscope`;
`BLASTSCOPE_CACHE=off` does without. It may be deleted at any time. Nothing that goes wrong with it
is fatal: a damaged entry is made anew, and without a place to write the images stay in memory.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import OutputError
from edge.output import require_space

#: Entries beyond this many bytes together are removed, the least recently used first.
MAX_BYTES = 8_000_000_000

#: A temporary folder of a run that has crashed is removed after this many seconds.
_ABANDONED_AFTER_S = 3600

_CHECKSUM_BLOCK = 1 << 24
_ARRAYS = ("images", "thumbnails")
_FACTS = "facts.json"

_log = logging.getLogger("blastscope.image_cache")


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImages:
    """What reading image files gives; the arrays may be read-only maps of the cache's files.

    Attributes:
        images: RGB, uint8, shape (n, height, width, 3).
        thumbnails: grey, uint8, shape (n, side, side).
        digests: SHA-256 of each file in hexadecimal.
    """

    images: NDArray[np.uint8]
    thumbnails: NDArray[np.uint8]
    digests: tuple[str, ...]


def cache_folder() -> Path | None:
    """Return the user's cache of decoded images, or None where it is switched off."""
    chosen = os.environ.get("BLASTSCOPE_CACHE")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen).expanduser() / "images"
    # XDG Base Directory Specification: a relative path there counts as none.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:  # A user without a home folder.
            return None
    return base / "blastscope" / "images"


class ImageCache:
    """Decoded images by key, in a folder.

    Safe for several processes at once: an entry appears whole, by renaming, and one that is in use
    stays mapped where another process removes its name.

    Args:
        folder: where the entries are; it need not exist yet.
        max_bytes: what the entries may take together.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def load(self, key: str) -> DecodedImages | None:
        """Map an entry into memory; one that is damaged is removed.

        Args:
            key: as the entry was stored under.

        Returns:
            Read-only arrays, or None where there is no whole entry.
        """
        entry = self.folder / key
        found = _identity(entry)
        if found is None:
            return None
        try:
            decoded = _map_entry(entry)
        # A file is not there, is too short, is no UTF-8, no JSON, none of numpy's, or has another
        # checksum.
        except (OSError, ValueError, KeyError, TypeError, EOFError, AttributeError):
            # Another process may have removed or replaced it at this moment.
            if _identity(entry) == found:
                _log.warning("A damaged entry of the image cache is made anew: %s", entry)
                _remove(entry)
            return None
        with suppress(OSError):
            os.utime(entry / _FACTS)
        return decoded

    def store(self, key: str, decoded: DecodedImages) -> DecodedImages:
        """Keep decoded images for the next run.

        Args:
            key: changes with whatever the images depend on.
            decoded: what to keep.

        Returns:
            The same images, mapped from the cache's files; `decoded` itself where they could not
            be written, after a warning that says why and what to do.
        """
        needed = decoded.images.nbytes + decoded.thumbnails.nbytes + 100 * len(decoded.digests)
        needed += 1_000_000
        try:
            self._make_room(needed)
            self._write(key, decoded)
        # numpy reports a disk that fills up as an OSError without a number.
        except (OSError, OutputError) as error:
            _log.warning(
                "The image cache %s cannot be written, so every run decodes these images again. "
                "Got: %s. Free some space, name another folder with BLASTSCOPE_CACHE, or do "
                "without by BLASTSCOPE_CACHE=off.",
                self.folder,
                _reason(error),
            )
            return decoded
        return self.load(key) or decoded

    def _write(self, key: str, decoded: DecodedImages) -> None:
        """Write an entry under another name, then rename it; one that is there already stays."""
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=self.folder))
        try:
            for name in _ARRAYS:
                np.save(temporary / f"{name}.npy", getattr(decoded, name), allow_pickle=False)
            facts = {"digests": decoded.digests, "checksums": _checksums(decoded)}
            (temporary / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
            with suppress(FileExistsError):
                _rename(temporary, self.folder / key)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _make_room(self, needed: int) -> None:
        """Remove the entries used longest ago until `needed` bytes fit.

        Raises:
            OutputError: they would not fit even then; nothing is removed.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for abandoned in self.folder.glob(".*-*"):
            with suppress(OSError):
                if abandoned.stat().st_mtime < time.time() - _ABANDONED_AFTER_S:
                    shutil.rmtree(abandoned, ignore_errors=True)
        entries = sorted(self._entries())
        held = sum(size for _, size, _ in entries)
        if needed > self.max_bytes:
            raise OutputError(
                f"The image cache holds {self.max_bytes / 1e9:.1f} GB",
                got=f"a set of {needed / 1e9:.1f} GB",
            )
        require_space(self.folder, needed - held)
        free = shutil.disk_usage(self.folder).free
        for _, size, entry in entries:
            if held + needed <= self.max_bytes and needed <= free:
                break
            _remove(entry)
            held -= size
            free += size

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each entry was last used, its size in bytes, and its folder."""
        for entry in self.folder.iterdir():
            with suppress(OSError):
                if not entry.name.startswith("."):
                    size = sum(file.stat().st_size for file in entry.iterdir())
                    yield (entry / _FACTS).stat().st_mtime, size, entry


def _map_entry(entry: Path) -> DecodedImages:
    """Open an entry's files as read-only maps.

    Raises:
        FileNotFoundError: a file of it is not there.
        OSError, ValueError, KeyError, TypeError: it is damaged.
    """
    facts: dict[str, Any] = json.loads((entry / _FACTS).read_text(encoding="utf-8"))
    images, thumbnails = (
        # Plain arrays over the map: users of the images need not know where they come from.
        np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
        for name in _ARRAYS
    )
    decoded = DecodedImages(images, thumbnails, tuple(facts["digests"]))
    if facts["checksums"] != _checksums(decoded):
        raise ValueError("another checksum")
    return decoded


def _identity(entry: Path) -> tuple[int, int] | None:
    """Return what tells an entry from another of the same name; None where there is no folder."""
    try:
        state = entry.stat()
    except OSError:
        return None
    return (state.st_ino, state.st_ctime_ns) if entry.is_dir() else None


def _checksums(decoded: DecodedImages) -> dict[str, list[int]]:
    """Return CRC-32 of each block of what an entry holds: twice as fast as SHA-256, on one core."""
    arrays = {name: getattr(decoded, name) for name in _ARRAYS}
    layout = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    with ThreadPoolExecutor() as pool:
        return {
            "facts": [zlib.crc32(repr((layout, decoded.digests)).encode())],
            **{name: list(pool.map(zlib.crc32, _blocks(array))) for name, array in arrays.items()},
        }


def _blocks(array: NDArray[np.uint8]) -> Sequence[NDArray[np.uint8]]:
    flat = array.reshape(-1)
    return [flat[at : at + _CHECKSUM_BLOCK] for at in range(0, len(flat), _CHECKSUM_BLOCK)]


def _reason(error: Exception) -> str:
    if isinstance(error, OutputError):
        return str(error.got)
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _rename(source: Path, target: Path) -> None:
    """Rename a folder, unless another process was first.

    Raises:
        FileExistsError: the target is there.
        OSError: it cannot be renamed.
    """
    try:
        source.rename(target)
    except OSError as error:
        if target.is_dir():
            raise FileExistsError(target) from error
        raise


def _remove(entry: Path) -> None:
    """Remove an entry: out of the way first, so that nobody meets it half removed."""
    with suppress(OSError):
        doomed = Path(tempfile.mkdtemp(prefix=".removing-", dir=entry.parent))
        entry.replace(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
