"""What every userland needs: a folder, a Debian archive, and commands that say why they failed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class UserlandError(Exception):
    """The userland cannot be made or run here; the message says why."""


class UnavailableError(UserlandError):
    """This machine lacks what a userland takes: a program, or the right to use it."""


def folder(name: str) -> Path:
    """Return where a root lies, made or not: $BLASTSCOPE_USERLANDS or the user's cache."""
    default = Path.home() / ".cache" / "blastscope" / "userlands"
    return Path(os.environ.get("BLASTSCOPE_USERLANDS", default)) / name


def mirror() -> list[str]:
    """Return the archive that this machine's own apt uses, or nothing for debootstrap's default."""
    for path in sorted(Path("/etc/apt").glob("sources.list*/*.sources")):
        if "debian-archive" not in path.read_text():
            continue
        for line in path.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() == "uris" and value.split():
                return [value.split()[0]]
    classic = Path("/etc/apt/sources.list")
    for line in classic.read_text().splitlines() if classic.is_file() else ():
        words = [word for word in line.split() if not word.startswith(("[", "signed-by"))]
        if words[:1] == ["deb"] and len(words) > 1 and "debian" in words[1]:
            return [words[1]]
    return []


def run(
    command: Sequence[object],
    timeout_s: float = 600,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return what it wrote to standard output.

    Raises:
        UserlandError: it cannot be started, took too long, or ended with an error.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout_s, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserlandError(f"{words[0]}: {error}") from error
    if done.returncode != 0:
        tail = (done.stdout + done.stderr)[-2000:]
        raise UserlandError(f"{' '.join(words)} ended with {done.returncode}: {tail}")
    return done.stdout


def remove(path: Path) -> None:
    """Remove a folder and what is in it, if it is there."""
    if path.exists():
        run(["rm", "-rf", "--one-file-system", path])
