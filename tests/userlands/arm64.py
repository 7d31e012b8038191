"""A Raspberry Pi's userland on an x86 machine: Debian arm64 in a folder, run by qemu.

The same wheels, Python and C library as on a Pi with a 64-bit system, and a processor that says it
is a Pi 4's. Its numbers are a Pi's numbers; its times mean nothing. What it takes:

- debootstrap and qemu-user-static, both Debian packages; neither binfmt nor a second stage;
- the right to chroot, so root's;
- the network, on first use only: half a minute and a gigabyte per system, kept under
  $BLASTSCOPE_USERLANDS (default ~/.cache/blastscope/userlands).
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.userlands.root import UnavailableError, folder, mirror, remove, run

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
QEMU = Path("/usr/bin/qemu-aarch64-static")
RECIPE = "1"
# The newest is tflite-runtime's.
PLATFORMS = ("manylinux2014_aarch64",)
PLATFORMS += tuple(f"manylinux_2_{minor}_aarch64" for minor in (27, 28, 34))


@dataclass(frozen=True, slots=True)
class Pi:
    """A Pi's system and the TFLite runtime on it.

    Attributes:
        suite: the Debian release that Pi OS is made from.
        python: its Python.
        numpy: its own numpy package.
        runtime: the wheel that runs models.
    """

    suite: str
    python: str
    numpy: str
    runtime: str

    def __str__(self) -> str:
        return f"{self.suite}-{self.runtime}"

    @property
    def root(self) -> Path:
        """Where the root lies, made or not."""
        return folder(f"{self.suite}-arm64")

    @property
    def site(self) -> Path:
        """Where the wheels lie, made or not."""
        return self.root / "opt" / self.runtime

    @property
    def requirements(self) -> list[str]:
        """What the base install requires, as Pi OS has it."""
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        base = [line for line in project["dependencies"] if ";" not in line]
        return [*base, f"numpy=={self.numpy}", self.runtime]


#: tflite-runtime's last release has no wheel for Python 3.12 or newer.
PIS = (
    Pi("bookworm", "3.11", "1.24.2", "ai-edge-litert"),
    Pi("trixie", "3.13", "2.2.4", "ai-edge-litert"),
    Pi("bookworm", "3.11", "1.24.2", "tflite-runtime"),
)


def ensure(pi: Pi) -> None:
    """Make the root and its wheels where they are missing or of another recipe.

    Raises:
        UnavailableError: this machine lacks something that it takes.
        UserlandError: a step failed.
    """
    if platform.machine() != "x86_64":
        raise UnavailableError(
            f"the comparison is with x86-64, this machine is {platform.machine()}"
        )
    for program, package in (("debootstrap", "debootstrap"), (QEMU, "qemu-user-static")):
        if shutil.which(program) is None:
            raise UnavailableError(f"{program} is not here: install the Debian package {package}")
    if os.geteuid() != 0:
        raise UnavailableError("making and entering a root takes the superuser")
    if _marked(pi.root) != RECIPE:
        _make_root(pi)
    wanted = "\n".join([*pi.requirements, _constraints(pi).read_text()])
    if _marked(pi.site) != wanted:
        remove(pi.site)
        _install(pi, pi.site, ["--constraint", _constraints(pi), *pi.requirements])
        _mark(pi.site, wanted)


def install_blastscope(pi: Pi, wheel: Path) -> None:
    """Install blastscope alone beside the wheels of `ensure`."""
    home = pi.root / "opt" / "blastscope"
    remove(home)
    _install(pi, home, ["--no-deps", wheel])


def run_python(pi: Pi, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the Pi's Python; paths are those inside the root.

    Args:
        pi: which one.
        *arguments: of python3.
    """
    qemu = f"/usr/bin/{QEMU.name}"
    return subprocess.run(
        ["chroot", str(pi.root), qemu, "/usr/bin/python3", "-B", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment(pi),
    )


def environment(pi: Pi) -> dict[str, str]:
    """Return the environment that the Pi's programs run in."""
    return {
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": f"/opt/blastscope:/opt/{pi.runtime}",
        "QEMU_CPU": "cortex-a72",
    }


def run_blastscope(pi: Pi, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as pip installed it."""
    return run_python(pi, "/opt/blastscope/bin/blastscope", *arguments)


def _make_root(pi: Pi) -> None:
    building = pi.root.with_name(f"{pi.root.name}.building")
    remove(building)
    building.parent.mkdir(parents=True, exist_ok=True)
    options = ["--arch=arm64", "--foreign", "--variant=minbase", "--include=python3,libgomp1"]
    run(["debootstrap", *options, pi.suite, building, *mirror()])
    archives = building / "var" / "cache" / "apt" / "archives"
    for package in sorted(archives.glob("*.deb")):
        unpacked = building / "unpacked.tar"
        with unpacked.open("wb") as file:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=file, check=True)
        run(["tar", "-xf", unpacked, "-C", building, "--keep-directory-symlink"])
        unpacked.unlink()
        package.unlink()
    shutil.copy(QEMU, building / "usr" / "bin")
    # XNNPACK asks the kernel which processor this is. Without these files it finds none and is
    # left out, and with the host's own ones LiteRT crashes.
    processors = building / "sys" / "devices" / "system" / "cpu"
    for path in (building / "proc", building / "sys"):
        if path.is_symlink():
            path.unlink()
    (building / "proc").mkdir(exist_ok=True)
    shutil.copy(HERE / "pi4-cpuinfo.txt", building / "proc" / "cpuinfo")
    processors.mkdir(parents=True)
    for name in ("possible", "present"):
        (processors / name).write_text("0-1\n")
    _mark(building, RECIPE)
    remove(pi.root)
    building.rename(pi.root)


def _install(pi: Pi, target: Path, what: list[object]) -> None:
    """Install wheels for the Pi from x86."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wanted = [f"--python-version={pi.python}", "--implementation=cp", "--only-binary=:all:"]
    wanted += [f"--platform={name}" for name in PLATFORMS]
    run([*pip, "--target", target, *wanted, *what])


def _constraints(pi: Pi) -> Path:
    return REPOSITORY / "deploy" / f"constraints-{pi.suite}.txt"


def _marked(path: Path) -> str:
    marker = path / "blastscope-recipe"
    return marker.read_text() if marker.is_file() else ""


def _mark(path: Path, recipe: str) -> None:
    (path / "blastscope-recipe").write_text(recipe)
