"""What a measurement was taken on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.bench.throttling import read_throttling

_CPU = "sys/devices/system/cpu"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What changes while a machine works.

    Attributes:
        temperatures_c: degrees Celsius of each thermal zone, by its type; empty where none tells.
        clock_mhz: the present clock rate of each core; empty where none tells.
        throttling: what holds the processor back; None where the machine has no such flags.
        load_average: of the last minute; None where the system has none.
    """

    temperatures_c: dict[str, float]
    clock_mhz: list[float]
    throttling: tuple[str, ...] | None
    load_average: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while a machine works.

    Attributes:
        board: such as "Raspberry Pi 4 Model B Rev 1.4"; None where nothing names it.
        cpu: the processor's name; the architecture where nothing names it.
        cores: how many this process may use.
        governors: the clock rate governors of all cores, each once; empty where there are none.
        system: the operating system's kernel with its version.
        architecture: such as "aarch64".
        python: Python's version.
    """

    board: str | None
    cpu: str
    cores: int
    governors: list[str]
    system: str
    architecture: str
    python: str


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_machine(root: Path) -> Machine:
    """Look at the machine.

    Args:
        root: the folder that `proc` and `sys` lie in; `/` on a real machine.
    """
    facts = _cpu_facts(root)
    governors = {_text(path) for path in (root / _CPU).glob("cpu*/cpufreq/scaling_governor")}
    return Machine(
        board=_text(root / "proc/device-tree/model") or facts.get("Model"),
        cpu=facts.get("model name") or facts.get("Hardware") or platform.machine(),
        cores=available_cores(),
        governors=sorted(governor for governor in governors if governor),
        system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        python=platform.python_version(),
    )


def read_conditions(root: Path, search_path: str | None = None) -> Conditions:
    """Look at what changes.

    Args:
        root: the folder that `proc` and `sys` lie in; `/` on a real machine.
        search_path: where to look for programs; None takes the environment's PATH.
    """
    temperatures = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        millidegrees = _text(zone / "temp")
        with suppress(ValueError):
            # Several zones may be of one type.
            kind = _text(zone / "type") or zone.name
            name = kind if kind not in temperatures else f"{kind} ({zone.name})"
            temperatures[name] = float(millidegrees) / 1000
    clocks = []
    for path in sorted((root / _CPU).glob("cpu*/cpufreq/scaling_cur_freq")):
        with suppress(ValueError):
            clocks.append(float(_text(path)) / 1000)
    load = None
    with suppress(ValueError, IndexError):
        load = float(_text(root / "proc/loadavg").split()[0])
    return Conditions(temperatures, clocks, read_throttling(root, search_path), load)


def _cpu_facts(root: Path) -> dict[str, str]:
    """Return the last value of each line of /proc/cpuinfo."""
    facts = {}
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip():
            facts[name.strip()] = value.strip()
    return facts


def _text(path: Path) -> str:
    """Return a small file's text without a device tree's NUL; nothing where it is absent."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n\t")
    except OSError:
        return ""
