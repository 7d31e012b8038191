"""What a Raspberry Pi's firmware says of low voltage, heat and lowered clock rates."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

#: Bits of the firmware's word: Raspberry Pi documentation, "vcgencmd", get_throttled. The same
#: bit 16 places higher says that it has been so since the start.
_BITS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
_SINCE_START = 16

_FIRMWARE_FILE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def read_throttling(root: Path, search_path: str | None = None) -> tuple[str, ...] | None:
    """Return what holds the processor back, now or since the machine started.

    Args:
        root: the folder that `sys` lies in; `/` on a real machine.
        search_path: where to look for programs; None takes the environment's PATH.

    Returns:
        Phrases such as "throttled now" and "under-voltage since the start"; none where all is
        well. None where the machine has no such flags.
    """
    word = None
    with suppress(OSError):
        word = (root / _FIRMWARE_FILE).read_text(encoding="ascii", errors="replace")
    if word is None:
        word = run_vcgencmd("get_throttled", search_path)
    if word is None:
        return None
    try:
        # The file has "50000", the program prints "throttled=0x50000".
        return decode_throttling(int(word.strip().rpartition("=")[2], 16))
    except ValueError:
        return None


def decode_throttling(word: int) -> tuple[str, ...]:
    """Return the phrases that the firmware's word stands for.

    Args:
        word: bits as the firmware gives them.
    """
    now = [f"{what} now" for bit, what in _BITS.items() if word >> bit & 1]
    before = [
        f"{what} since the start"
        for bit, what in _BITS.items()
        if word >> bit + _SINCE_START & 1 and not word >> bit & 1
    ]
    return tuple(now + before)


def run_vcgencmd(question: str, search_path: str | None = None) -> str | None:
    """Ask the firmware of a Raspberry Pi.

    Args:
        question: such as "get_throttled".
        search_path: where to look for the program; None takes the environment's PATH.

    Returns:
        What it printed; None where there is no such program, or it failed.
    """
    program = shutil.which("vcgencmd", path=search_path)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, question], capture_output=True, text=True, check=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout
