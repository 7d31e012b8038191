"""The installer, as far as it can be tried without a Pi: what it prints, and what it refuses."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edge.cli.watch import command as watch

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SCRIPT = DEPLOY / "install.sh"
UNIT = DEPLOY / "blastscope-watch.service"

# What the script needs to get as far as its first change; nothing that changes a system.
TOOLS = ("bash", "cat", "dirname", "find", "rm", "sort", "tail")


class FakePi:
    """Runs the script where PATH has nothing but fakes, so that it can change nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.programs / tool).symlink_to(found)
        self.fake("uname", "echo aarch64")
        self.fake("dpkg", "echo arm64")
        self.fake("dpkg-query", "exit 1")
        self.fake("id", '[ "$1" = -u ] && echo 0')
        self.fake("getent", "exit 0")
        self.release("trixie")

    def fake(self, name: str, body: str) -> None:
        path = self.programs / name
        path.write_text(f"#!{self.programs}/bash\n{body}\n")
        path.chmod(0o755)

    def release(self, codename: str) -> None:
        (self.folder / "os-release").write_text(f"ID=debian\nVERSION_CODENAME={codename}\n")

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / "bash"), str(SCRIPT), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={
                "PATH": str(self.programs),
                "BLASTSCOPE_OS_RELEASE": str(self.folder / "os-release"),
            },
        )

    def refusal(self, *arguments: object) -> str:
        done = self.run(*arguments)
        assert done.returncode == 2, done.stderr
        assert "What to do: " in done.stderr
        assert done.stdout == ""
        return done.stderr


@pytest.fixture
def pi(tmp_path: Path) -> FakePi:
    return FakePi(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "my model.tflite"
    path.write_bytes(b"")
    return path


def commands(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """Return the commands that a dry run printed."""
    assert done.returncode == 0, done.stderr
    return [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("    ")]


def test_syntax() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)


def test_shellcheck() -> None:
    here = str(Path(sys.executable).parent)
    shellcheck = shutil.which("shellcheck", path=here) or shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("INSTALLER NOT CHECKED: shellcheck is not installed")
    done = subprocess.run([shellcheck, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_script_can_be_run() -> None:
    assert os.access(SCRIPT, os.X_OK)


def test_help_teaches(pi: FakePi) -> None:
    done = pi.run("--help")
    assert done.returncode == 0
    for word in ("Examples:", "--model", "--offline", "--dry-run", "sudo deploy/install.sh"):
        assert word in done.stdout


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_dry_run_prints_every_command(pi: FakePi, model: Path, suite: str) -> None:
    pi.release(suite)
    done = pi.run("--dry-run", "--model", model)
    printed = commands(done)
    assert [words[0].rpartition("/")[2] for words in printed] == [
        *("apt-get", "apt-get"),
        *("useradd", "usermod", "usermod", "install"),
        "python3",
        *("cp", "python", "python", "python", "ln"),
        *("install", "runuser", "sync", "rm", "mv"),
        "blastscope",
        *("install", "install", "systemctl", "systemctl"),
        *("runuser", "systemctl"),
    ]
    assert "python3-picamera2" in printed[1]
    assert any("--system-site-packages" in words for words in printed)
    assert any(str(DEPLOY / f"constraints-{suite}.txt") in words for words in printed)
    assert any(str(model) in words for words in printed)
    assert "Nothing was done" in done.stderr


@pytest.mark.parametrize(("suite", "python"), [("bookworm", "3.11"), ("trixie", "3.13")])
def test_new_station_gets_the_model_that_comes_along(pi: FakePi, suite: str, python: str) -> None:
    pi.release(suite)
    (copied,) = [
        words
        for words in commands(pi.run("--dry-run"))
        if words[-1].endswith("/.new.tflite") and words[0] == "install"
    ]
    _, inside = copied[-2].split(f"/lib/python{python}/site-packages/")
    assert (DEPLOY.parent / inside).is_file()


def test_new_station_tries_the_models_and_every_one_its_threads(pi: FakePi, model: Path) -> None:
    def choices(*options: object) -> list[list[str]]:
        printed = commands(pi.run("--dry-run", *options))
        return [words[2:] for words in printed if words[1:2] == ["choose"]]

    threads = ["--model", "/var/lib/blastscope/model.tflite"]
    threads += ["--env", "/var/lib/blastscope/choice.env"]
    assert choices() == [["--path"], threads]
    assert choices("--model", model) == [threads]
    # What the user writes comes after what was measured.
    files = [line for line in UNIT.read_text().splitlines() if line.startswith("EnvironmentFile")]
    assert [file.rpartition("/")[2] for file in files] == ["choice.env", "blastscope"]


def test_signature_comes_with_its_model(pi: FakePi, model: Path) -> None:
    Path(f"{model}.sig").touch()
    printed = commands(pi.run("--dry-run", "--model", model))
    moved = [words[-1].rpartition("/")[2] for words in printed if words[0] == "mv"]
    assert moved == ["model.tflite.sig", "model.tflite"]
    assert any(words[-1].endswith("[signing]") for words in printed)


def test_dry_run_needs_no_superuser(pi: FakePi) -> None:
    pi.fake("id", "echo 1000")
    assert commands(pi.run("--dry-run"))


def test_user_that_is_there_is_left(pi: FakePi) -> None:
    pi.fake("id", "echo 0")
    assert not [words for words in commands(pi.run("--dry-run")) if words[0] == "useradd"]


def test_packages_that_are_there_are_left(pi: FakePi) -> None:
    pi.fake("dpkg-query", 'echo "install ok installed"')
    assert not [words for words in commands(pi.run("--dry-run")) if words[0] == "apt-get"]


def test_offline_asks_no_network(pi: FakePi, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for name in ("blastscope-0.1.0-py3-none-any.whl", "blastscope-0.2.0-py3-none-any.whl"):
        (stick / name).touch()
    assert "python3-picamera2" in pi.refusal("--offline", stick, "--dry-run")
    (stick / "python3-picamera2.deb").touch()
    printed = commands(pi.run("--offline", stick, "--dry-run"))
    apt = [words for words in printed if words[0] == "apt-get"]
    assert apt
    assert all("--no-download" in words for words in apt)
    pip = [words for words in printed if "pip" in words]
    assert pip
    assert all("--no-index" in words for words in pip)
    assert all(words[-1] == str(stick / "blastscope-0.2.0-py3-none-any.whl") for words in pip)


@pytest.mark.parametrize(
    ("machine", "packages", "advice"),
    [
        ("x86_64", "amd64", "64-bit Raspberry Pi"),
        ("armv7l", "armhf", "32-bit"),
        ("aarch64", "armhf", "32-bit"),
    ],
)
def test_other_machines_are_refused(pi: FakePi, machine: str, packages: str, advice: str) -> None:
    pi.fake("uname", f"echo {machine}")
    pi.fake("dpkg", f"echo {packages}")
    assert advice in pi.refusal("--dry-run")


@pytest.mark.parametrize("codename", ["bullseye", "noble", ""])
def test_other_systems_are_refused(pi: FakePi, codename: str) -> None:
    pi.release(codename)
    assert "bookworm" in pi.refusal("--dry-run")


def test_missing_os_release_is_refused(pi: FakePi) -> None:
    (pi.folder / "os-release").unlink()
    assert "bookworm" in pi.refusal("--dry-run")


def test_ordinary_user_is_refused(pi: FakePi) -> None:
    pi.fake("id", "echo 1000")
    assert "sudo" in pi.refusal()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--modle", "x"],
        ["--model"],
        ["--model", "/absent"],
        ["--offline", "/absent"],
        ["/absent"],
        ["a.whl", "b.whl"],
    ],
    ids=" ".join,
)
def test_bad_options_are_refused(pi: FakePi, arguments: list[str]) -> None:
    pi.refusal("--dry-run", *arguments)


def test_failure_names_its_step_and_that_running_again_is_safe(pi: FakePi) -> None:
    pi.fake("apt-get", "echo no network >&2; exit 100")
    done = pi.run()
    assert done.returncode == 100
    assert '"Install Debian packages" failed' in done.stderr
    assert "run the same command again" in done.stderr
    assert "Make the user" not in done.stdout


def unit() -> configparser.ConfigParser:
    # Not strict: a unit may name several environment files.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def started(watch_options: str) -> click.Context:
    """Parse the command line that the unit starts with the command's own parser."""
    words = shlex.split(unit()["Service"]["ExecStart"])
    assert words[:2] == ["/opt/blastscope/venv/bin/blastscope", "watch"]
    assert words[-1] == "$WATCH_OPTIONS"
    return watch.make_context("watch", [*words[2:-1], *shlex.split(watch_options)])


def test_unit_starts_a_command_that_exists() -> None:
    options = started("").params
    assert options["kind"] == "picamera2"
    assert str(options["model_path"]) == "/var/lib/blastscope/model.tflite"
    assert options["as_json"]


def test_options_can_be_overridden() -> None:
    default = (DEPLOY / "blastscope.default").read_text()
    (example,) = [line for line in default.splitlines() if "--camera usb" in line]
    assert unit()["Service"]["EnvironmentFile"] == "-/etc/default/blastscope"
    options = started(example.partition("=")[2].strip('"')).params
    assert (options["kind"], options["source"]) == ("usb", "/dev/video0")


def test_unit_runs_as_its_user_and_starts_again() -> None:
    service = unit()["Service"]
    assert service["User"] == "blastscope"
    assert service["Restart"] == "on-failure"
    assert unit()["Install"]["WantedBy"] == "multi-user.target"
    # Each of these closes the camera's devices, or hides the processor from XNNPACK.
    assert not {"PrivateDevices", "DevicePolicy", "ProtectClock", "ProcSubset"} & set(service)


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("UNIT NOT VERIFIED: systemd-analyze is not installed")
    program = shutil.which("true")
    text = UNIT.read_text().replace("/opt/blastscope/venv/bin/blastscope", str(program))
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    # Releases of systemd before 254 ignore these two.
    younger = ("'RestartSteps'", "'RestartMaxDelaySec'")
    complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert [line for line in complaints if not any(key in line for key in younger)] == []
    assert done.returncode == 0
