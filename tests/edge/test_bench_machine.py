"""What the bench tells of a machine, on trees of real files laid out as a Pi's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.bench.environment import describe_machine, read_conditions
from edge.bench.power import PowerMeter, find_power_sensor
from edge.bench.throttling import decode_throttling, read_throttling

_CPUINFO = Path(__file__).resolve().parents[1] / "userlands" / "pi4-cpuinfo.txt"

_ADC = """\
     3V7_WL_SW_A current(0)=0.10000000A
     3V3_SYS_A current(1)=0.50000000A
     3V7_WL_SW_V volt(8)=3.70000000V
     3V3_SYS_V volt(9)=3.30000000V
     EXT5V_V volt(24)=5.15094000V
     BATT_V volt(25)=0.00000000V
"""


def lay_out(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def put_vcgencmd(folder: Path, answers: dict[str, str]) -> str:
    """Write a program that answers as the firmware does, and return a PATH with it alone."""
    folder.mkdir()
    cases = "".join(f"{word}) cat <<'X'\n{text}\nX\n;;\n" for word, text in answers.items())
    program = folder / "vcgencmd"
    program.write_text(f"#!/bin/sh\ncase $1 in\n{cases}*) exit 255;;\nesac\n")
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    cores = {
        f"sys/devices/system/cpu/cpu{core}/cpufreq/{name}": text
        for core in range(4)
        for name, text in (("scaling_governor", "ondemand\n"), ("scaling_cur_freq", "1500000\n"))
    }
    return lay_out(
        tmp_path / "root",
        {
            "proc/cpuinfo": _CPUINFO.read_text(),
            "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "proc/loadavg": "0.52 0.31 0.20 1/200 1234\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "48300\n",
            "sys/class/thermal/thermal_zone1/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone1/temp": "50100\n",
            "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
            **cores,
        },
    )


def test_pi_is_described(pi: Path) -> None:
    machine = describe_machine(pi)
    assert machine.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert machine.cpu == "BCM2835"
    assert machine.governors == ["ondemand"]
    conditions = read_conditions(pi)
    assert conditions.temperatures_c == {
        "cpu-thermal": 48.3,
        "cpu-thermal (thermal_zone1)": 50.1,
    }
    assert conditions.clock_mhz == [1500.0] * 4
    assert conditions.load_average == 0.52
    assert conditions.throttling == ("under-voltage now", "throttled now")


def test_board_is_named_by_cpuinfo_where_there_is_no_device_tree(pi: Path) -> None:
    (pi / "proc/device-tree/model").unlink()
    assert describe_machine(pi).board == "Raspberry Pi 4 Model B Rev 1.4"


def test_bare_machine_is_described_too(tmp_path: Path) -> None:
    machine = describe_machine(tmp_path)
    assert (machine.board or None, machine.governors) == (None, [])
    assert machine.cpu
    conditions = read_conditions(tmp_path, str(tmp_path))
    assert (conditions.temperatures_c, conditions.clock_mhz) == ({}, [])
    assert (conditions.throttling, conditions.load_average) == (None, None)
    assert find_power_sensor(tmp_path, str(tmp_path)) is None


@pytest.mark.parametrize(
    ("word", "phrases"),
    [
        (0x0, ()),
        (0x1, ("under-voltage now",)),
        (0x50000, ("under-voltage since the start", "throttled since the start")),
        (0x80008, ("soft temperature limit now",)),
        (0x20004, ("throttled now", "frequency capped since the start")),
    ],
)
def test_bits_are_those_of_the_firmware(word: int, phrases: tuple[str, ...]) -> None:
    assert decode_throttling(word) == phrases


def test_firmware_is_asked_where_no_file_tells(tmp_path: Path) -> None:
    path = put_vcgencmd(tmp_path / "bin", {"get_throttled": "throttled=0x50000"})
    assert read_throttling(tmp_path, path) == (
        "under-voltage since the start",
        "throttled since the start",
    )
    other = put_vcgencmd(tmp_path / "other", {"measure_temp": "temp=48.3'C"})
    assert read_throttling(tmp_path, other) is None
    broken = put_vcgencmd(tmp_path / "broken", {"get_throttled": "VCHI initialization failed"})
    assert read_throttling(tmp_path, broken) is None


@pytest.mark.parametrize(
    ("files", "watts"),
    [
        ({"name": "ina219", "power1_input": "4200000"}, 4.2),
        ({"name": "ina226", "power1_input": "4200000", "curr1_input": "9", "in1_input": "9"}, 4.2),
        ({"name": "ina2xx", "curr1_input": "800", "in1_input": "5000", "in0_input": "80"}, 4.0),
        (
            {
                "name": "ina3221",
                "curr1_input": "100",
                "in1_input": "5000",
                "curr2_input": "200",
                "in2_input": "3300",
            },
            1.16,
        ),
    ],
)
def test_power_comes_from_ina_chips(tmp_path: Path, files: dict[str, str], watts: float) -> None:
    # Other chips have power figures too, which are not the board's.
    lay_out(tmp_path / "sys/class/hwmon/hwmon0", {"name": "amdgpu\n", "power1_input": "9000000\n"})
    lay_out(
        tmp_path / "sys/class/hwmon/hwmon3", {name: f"{text}\n" for name, text in files.items()}
    )
    sensor = find_power_sensor(tmp_path, str(tmp_path))
    assert sensor is not None
    assert sensor.name == f"{files['name']} (hwmon3)"
    assert sensor.read_watts() == pytest.approx(watts)


def test_power_of_a_pi_5_is_the_sum_over_its_rails(tmp_path: Path) -> None:
    path = put_vcgencmd(tmp_path / "bin", {"pmic_read_adc": _ADC})
    sensor = find_power_sensor(tmp_path, path)
    assert sensor is not None
    assert sensor.read_watts() == pytest.approx(0.1 * 3.7 + 0.5 * 3.3)


def test_chip_that_does_not_answer_is_passed_over(tmp_path: Path) -> None:
    lay_out(tmp_path / "sys/class/hwmon/hwmon0", {"name": "ina219\n", "power1_input": "?\n"})
    assert find_power_sensor(tmp_path, str(tmp_path)) is None


def test_energy_is_mean_power_times_time_over_inferences(tmp_path: Path) -> None:
    lay_out(tmp_path / "sys/class/hwmon/hwmon0", {"name": "ina219\n", "power1_input": "2000000\n"})
    sensor = find_power_sensor(tmp_path, str(tmp_path))
    assert sensor is not None
    started = time.perf_counter()
    with PowerMeter(sensor) as meter:
        time.sleep(0.25)
    most = time.perf_counter() - started
    energy = meter.energy(inferences=10)
    assert energy is not None
    assert energy.readings >= 1
    assert (energy.mean_watts, energy.inferences) == (2.0, 10)
    assert 2.0 * 0.25 / 10 <= energy.joules_per_inference <= 2.0 * most / 10


def test_sensor_that_falls_silent_gives_no_energy(tmp_path: Path) -> None:
    lay_out(tmp_path / "sys/class/hwmon/hwmon0", {"name": "ina219\n", "power1_input": "2000000\n"})
    sensor = find_power_sensor(tmp_path, str(tmp_path))
    assert sensor is not None
    (tmp_path / "sys/class/hwmon/hwmon0/power1_input").unlink()
    with PowerMeter(sensor) as meter:
        pass
    assert meter.energy(inferences=1) is None
