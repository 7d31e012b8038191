"""Joules, where a power sensor answers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.bench.throttling import run_vcgencmd

#: Seconds between two readings.
_INTERVAL_S = 0.1

_PMIC_LINE = re.compile(r"(\S+)_([AV])\s+(?:current|volt)\(\d+\)=([0-9.]+)[AV]")


@dataclass(frozen=True, slots=True)
class PowerSensor:
    """Something that tells how many watts are drawn.

    Attributes:
        name: what and where it is.
        read_watts: returns the watts now; None where it does not answer.
    """

    name: str
    read_watts: Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Energy:
    """What a model drew while it ran alone. The machine's draw at rest is in it.

    Attributes:
        joules_per_inference: mean watts times seconds, over the number of inferences.
        mean_watts: of the readings.
        readings: how many there were.
        inferences: how many frames were classified meanwhile.
        sensor: its name.
    """

    joules_per_inference: float
    mean_watts: float
    readings: int
    inferences: int
    sensor: str


def find_power_sensor(root: Path, search_path: str | None = None) -> PowerSensor | None:
    """Return the machine's first power sensor that answers; None where there is none.

    Looked for are chips of the INA family under hwmon (Linux kernel documentation, "ina2xx":
    power in microwatts, or millivolts and milliamperes), then the power chip of a Raspberry Pi 5,
    whose rails' volts times amperes are summed; what a Pi 5 gives to USB devices is not in that.

    Args:
        root: the folder that `sys` lies in; `/` on a real machine.
        search_path: where to look for programs; None takes the environment's PATH.
    """
    found = []
    for folder in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        chip = _read_text(folder / "name")
        if chip is not None and chip.lower().startswith("ina"):
            found.append(PowerSensor(f"{chip} ({folder.name})", partial(_chip_watts, folder)))
    found.append(PowerSensor("Raspberry Pi 5 PMIC", partial(_pmic_watts, search_path)))
    return next((sensor for sensor in found if sensor.read_watts() is not None), None)


class PowerMeter:
    """Reads a sensor ten times a second, in a thread of its own, while it is entered.

    Args:
        sensor: what to read.

    Example:
        >>> with PowerMeter(sensor) as meter:
        ...     classifier.classify(frame)
        >>> energy = meter.energy(inferences=1)
    """

    def __init__(self, sensor: PowerSensor) -> None:
        self._sensor = sensor
        self._watts: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._started = 0.0
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._seconds = time.perf_counter() - self._started
        self._done.set()
        self._thread.join()

    def energy(self, inferences: int) -> Energy | None:
        """Return what was drawn; None where the sensor did not answer meanwhile.

        Args:
            inferences: how many frames were classified; above 0.
        """
        if not self._watts:
            return None
        mean = sum(self._watts) / len(self._watts)
        return Energy(
            joules_per_inference=mean * self._seconds / inferences,
            mean_watts=mean,
            readings=len(self._watts),
            inferences=inferences,
            sensor=self._sensor.name,
        )

    def _read(self) -> None:
        while True:
            watts = self._sensor.read_watts()
            if watts is not None:
                self._watts.append(watts)
            if self._done.wait(_INTERVAL_S):
                return


def _chip_watts(folder: Path) -> float | None:
    """Sum a chip's channels."""
    powers = [_read_number(path) for path in sorted(folder.glob("power*_input"))]
    known = [power for power in powers if power is not None]
    if known:
        return sum(known) / 1e6
    products = []
    for path in sorted(folder.glob("curr*_input")):
        milliamperes = _read_number(path)
        millivolts = _read_number(path.with_name(path.name.replace("curr", "in", 1)))
        if milliamperes is not None and millivolts is not None:
            products.append(milliamperes * millivolts / 1e6)
    return sum(products) if products else None


def _pmic_watts(search_path: str | None) -> float | None:
    text = run_vcgencmd("pmic_read_adc", search_path)
    if text is None:
        return None
    rails: dict[str, dict[str, float]] = {}
    for name, unit, value in _PMIC_LINE.findall(text):
        rails.setdefault(name, {})[unit] = float(value)
    products = [rail["A"] * rail["V"] for rail in rails.values() if len(rail) == 2]
    return sum(products) if products else None


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _read_number(path: Path) -> float | None:
    text = _read_text(path)
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
