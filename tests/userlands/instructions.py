"""How many instructions a program takes on a Pi: the one measure of speed that emulation gives.

A qemu that takes plugins (Debian's qemu-user; the static one does not) is put into the userland
with the libraries that it needs, beside a plugin that this machine's C compiler makes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.userlands.arm64 import Pi, environment
from tests.userlands.root import UnavailableError, remove, run

HERE = Path(__file__).resolve().parent
QEMU = Path("/usr/bin/qemu-aarch64")
INSIDE = "opt/counting"


def prepare(pi: Pi) -> None:
    """Put qemu and the plugin into a root.

    Raises:
        UnavailableError: this machine lacks something that it takes.
    """
    if not QEMU.exists():
        raise UnavailableError(f"{QEMU} is not here: install the Debian package qemu-user")
    if shutil.which("cc") is None:
        raise UnavailableError("there is no C compiler: install the Debian package gcc")
    folder = pi.root / INSIDE
    remove(folder)
    folder.mkdir()
    source = HERE / "instruction_counter.c"
    run(["cc", "-O2", "-shared", "-fPIC", "-o", folder / "counter.so", source])
    shutil.copy(QEMU, folder)
    for library in re.findall(r"(/\S+\.so\S*)", run(["ldd", QEMU])):
        shutil.copy(library, folder)


def count(pi: Pi, *arguments: object) -> int:
    """Run the Pi's Python, and return how many instructions it took.

    Args:
        pi: which one, prepared.
        *arguments: of python3; paths are those inside the root.
    """
    inside = f"/{INSIDE}"
    loader = [f"{inside}/ld-linux-x86-64.so.2", "--library-path", inside]
    qemu = [f"{inside}/{QEMU.name}", "-plugin", f"{inside}/counter.so"]
    done = subprocess.run(
        ["chroot", pi.root, *loader, *qemu, "/usr/bin/python3", "-B", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
        env=environment(pi),
    )
    found = re.search(r"^instructions (\d+)$", done.stderr, re.MULTILINE)
    if found is None:
        raise ValueError(done.stderr[-2000:])
    return int(found[1])
