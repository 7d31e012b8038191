"""Writing results so that a crash or a full disk leaves either the whole file or none."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge.errors import OutputError


def require_absent(path: Path, remedy: str = "Choose another name, or remove it first") -> None:
    """Refuse to write over something that is already there.

    Args:
        path: where a result is to be written.
        remedy: the next step that the error offers.

    Raises:
        OutputError: the path exists, or its parent is not a folder.
    """
    if path.exists() or path.is_symlink():
        raise OutputError("The output must not exist yet", got=path, next_step=remedy)
    if path.parent.exists() and not path.parent.is_dir():
        raise OutputError(
            "The output goes into a folder", got=path.parent, next_step="Choose another place"
        )


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse to start long work whose result would not fit on the disk.

    Args:
        folder: where the result goes; it need not exist yet.
        needed_bytes: how much will be written.

    Raises:
        OutputError: less is free.
    """
    existing = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise OutputError(
            f"The result needs {needed_bytes / 1e6:.0f} MB of disk space",
            got=f"{free / 1e6:.0f} MB free for {folder}",
            next_step="Free some space, or choose another disk",
        )


def require_writable(path: Path) -> None:
    """Refuse to start long work whose result could not be written.

    Args:
        path: what is to be written; its folder need not exist yet.

    Raises:
        OutputError: nothing can be written there.
    """
    existing = next(one for one in path.absolute().parents if one.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise _output_error(path, error) from error


def make_folder(path: Path, *, exist_ok: bool = True) -> None:
    """Make a folder with its parents.

    Args:
        path: the folder.
        exist_ok: whether it may be there already.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
    except OSError as error:
        raise _output_error(path, error) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move it there once it is written to the disk.

    Args:
        path: the file to write; one that exists is replaced in one step.

    Yields:
        Where to write. It has the same suffixes, since some writers choose a format by them.

    Raises:
        OutputError: the file cannot be written; what was there before is untouched.
    """
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    # HDF5 reports a full disk as a RuntimeError when it closes the file.
    except (OSError, RuntimeError) as error:
        raise _output_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON.

    Raises:
        OutputError: the file cannot be written; what was there before is untouched.
    """
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _output_error(path: Path, error: Exception) -> OutputError:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    return OutputError(
        f"The result {path} must be writable",
        got="no space left on the disk" if full else f"{type(error).__name__}: {error}",
        next_step="Free some space" if full else "Check the folder and its permissions",
    )
