"""The command as a person or a script meets it, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import __version__
from edge.cli.main import COMMANDS, LONGER_COMMANDS, run
from edge.labels import SMEAR_LABELS
from tests.conftest import Command


def test_help_waits_for_no_library() -> None:
    code = (
        "import sys; from edge.cli.main import run; run(['--help']); "
        "heavy = {'numpy', 'cv2', 'keras', 'tensorflow', 'ai_edge_litert', 'train', 'quantize'}; "
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_help_lists_every_command(blastscope: Command) -> None:
    done = blastscope("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in done.stdout
    assert "not a medical device" in done.stdout
    assert blastscope("--version").stdout.split() == ["blastscope,", "version", __version__]


@pytest.mark.parametrize("name", [*COMMANDS, *map(" ".join, LONGER_COMMANDS)])
def test_each_command_teaches_by_example(blastscope: Command, name: str) -> None:
    done = blastscope(*name.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert f"    blastscope {name}" in done.stdout.split("Example", 1)[1]
    if name in ("study", "reproduce"):
        # Its options are those of the commands below it.
        below = {"study": "balancing", "reproduce": "tamim2025"}[name]
        done = blastscope(name, below, "--help")
    assert "--json" in done.stdout


def test_unknown_command_and_option_exit_with_2(blastscope: Command) -> None:
    for words in (["diagnose"], ["classify", "--fast"], ["classify", "a.png"]):
        done = blastscope(*words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_classify_prints_a_line_per_image(
    blastscope: Command, tiny_model: Path, smears: Path
) -> None:
    done = blastscope("classify", smears / "Pro", "--model", tiny_model, "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["path"]).name for row in rows] == sorted(
        path.name for path in (smears / "Pro").iterdir()
    )
    for row in rows:
        assert tuple(row["scores"]) == SMEAR_LABELS
        assert row["label"] in SMEAR_LABELS
        assert list(row["timing_ms"]) == ["decode", "preprocess", "quality", "invoke", "decide"]
        assert row["model"].startswith("custom-cnn@")


def test_unreadable_image_gives_an_error_line_and_the_run_goes_on(
    blastscope: Command, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    good = next((smears / "Pre").iterdir())
    broken = tmp_path / "broken.jpg"
    broken.write_text("text")
    deep = tmp_path / "deep.png"
    cv2.imwrite(str(deep), np.zeros((9, 9, 3), np.uint16))
    absent = tmp_path / "absent.png"
    done = blastscope("classify", broken, good, deep, absent, "--model", tiny_model, "--json")
    assert done.returncode == 2
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [("error" in row) for row in rows] == [True, False, True, True]
    assert all(set(row) == {"path", "error"} for row in rows if "error" in row)
    assert "3 of 4 images" in done.stderr
    plain = blastscope("classify", broken, good, "--model", tiny_model)
    assert plain.returncode == 2
    assert "error: " in plain.stdout.splitlines()[0]
    assert plain.stdout.splitlines()[1].split()[1] in SMEAR_LABELS


@pytest.mark.parametrize("words", [["classify", "x.png"], ["watch", "--camera", "simulated"]])
def test_bad_models_are_refused_by_name(
    blastscope: Command, tmp_path: Path, words: list[str]
) -> None:
    text = tmp_path / "text.tflite"
    text.write_text("no model")
    for model in (text, tmp_path / "absent.tflite", tmp_path):
        done = blastscope(*words, "--model", model)
        assert done.returncode == 2
        assert str(model) in done.stderr
        assert "Got:" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_model_can_come_from_the_environment(
    blastscope: Command, tiny_model: Path, smears: Path
) -> None:
    environment = {**os.environ, "BLASTSCOPE_MODEL": str(tiny_model)}
    done = blastscope("classify", next((smears / "Pre").iterdir()), env=environment)
    assert done.returncode == 0, done.stderr


def test_folder_without_images_is_an_error_like_any_other(
    blastscope: Command, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    hidden = tmp_path / ".hidden"
    shutil.copytree(smears / "Pro", hidden)
    good = next((smears / "Pre").iterdir())
    done = blastscope("classify", good, tmp_path, "--model", tiny_model, "--json")
    assert done.returncode == 2
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["label"] in SMEAR_LABELS
    assert f"none in {tmp_path}" in second["error"]


def test_reader_that_goes_away_is_no_error(tiny_model: Path, smears: Path) -> None:
    command = f"'{sys.executable}' -m edge.cli classify '{smears}' --model '{tiny_model}' --json"
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    line, code = done.stdout.splitlines()
    assert json.loads(line)["label"] in SMEAR_LABELS
    assert code == "141", "as of any program that a closed pipe ends"
    assert done.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_are_no_error(
    tiny_model: Path, smears: Path, tmp_path: Path, closed: str
) -> None:
    out = tmp_path / "lines"
    command = (
        f"'{sys.executable}' -m edge.cli classify '{smears}/Pro' --model '{tiny_model}' --json"
    )
    redirect = f"{closed}" if ">&- " in closed or closed == ">&-" else f"{closed} > '{out}'"
    done = subprocess.run(
        ["bash", "-c", f"{command} {redirect}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if out.exists():
        assert len(out.read_text().splitlines()) == 24


def test_watch_prints_a_line_per_frame(blastscope: Command, tiny_model: Path) -> None:
    words = ["watch", "--camera", "simulated", "--frames", "5", "--model", tiny_model, "--json"]
    done = blastscope(*words)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["sequence"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["captured_s"] for row in rows] == sorted(row["captured_s"] for row in rows)
    assert list(rows[0]["timing_ms"]) == ["wait", "preprocess", "quality", "invoke", "decide"]
    assert "5 frames classified" in done.stderr
    assert "not a medical device" in done.stderr
    again = [json.loads(line) for line in blastscope(*words).stdout.splitlines()]
    assert [row["scores"] for row in again] == [row["scores"] for row in rows]


def test_watch_replays_a_folder_to_its_end(
    blastscope: Command, tiny_model: Path, smears: Path
) -> None:
    source = smears / "Early"
    done = blastscope("watch", "--camera", "replay", "--source", source, "--model", tiny_model)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 24


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("shell", ["exec", "trap '' INT; exec"])
def test_signal_ends_watching_cleanly(tiny_model: Path, number: signal.Signals, shell: str) -> None:
    """Also where a shell in the background has told its programs to ignore Ctrl-C."""
    words = ["watch", "--camera", "simulated", "--model", str(tiny_model), "--json"]
    process = subprocess.Popen(
        ["bash", "-c", f'{shell} "$@"', "bash", sys.executable, "-m", "edge.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(3):
        json.loads(process.stdout.readline())
    process.send_signal(number)
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 0
    for line in rest.splitlines():
        json.loads(line)
    assert "frames classified" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--camera", "usb", "--source", "/dev/video97"], "/dev/video97"),
        (["--camera", "replay", "--source", "absent"], "absent"),
        (["--camera", "replay"], "needs --source"),
        (["--camera", "picamera2"], "picamera2"),
        (["--camera", "picamera2", "--source", "left"], "takes a number"),
        (["--camera", "simulated", "--source", "Cat"], "Cat"),
        (["--camera", "eye"], "eye"),
    ],
)
def test_camera_that_is_not_there_is_refused(
    blastscope: Command, tiny_model: Path, words: list[str], said: str
) -> None:
    done = blastscope("watch", *words, "--frames", "1", "--model", tiny_model)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_absurd_number_of_threads_is_refused(blastscope: Command, tiny_model: Path) -> None:
    """The runtime itself would end the process with a segmentation fault."""
    done = blastscope("bench", tiny_model, "--threads", 100_000)
    assert done.returncode == 2
    assert "at most 64. Got: 100000" in done.stderr


def test_doctor_finds_a_good_model(blastscope: Command, tiny_model: Path) -> None:
    done = blastscope("doctor", "--model", tiny_model, "--json")
    assert done.returncode == 0, done.stderr
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert list(findings) == ["Python", "OpenCV", "TFLite runtime", "cameras", "model"]
    assert findings["model"]["state"] == "ok"
    assert "XNNPACK" in findings["model"]["found"]


def test_doctor_diagnoses_a_broken_opencv(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "edge.cli"]
    for words, code in ((["doctor"], 1), (["classify", "x.png"], 2)):
        done = subprocess.run(
            [*command, *words, "--model", str(tiny_model)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert done.returncode == code
        assert "libGL.so.1" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert "blastscope doctor" in done.stderr


def test_watch_names_the_images_that_it_passed_over(
    blastscope: Command, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    shutil.copy(next((smears / "Pre").iterdir()), tmp_path / "a.png")
    (tmp_path / "b.png").write_text("broken")
    done = blastscope("watch", "--camera", "replay", "--source", tmp_path, "--model", tiny_model)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "b.png") in done.stderr


def test_doctor_says_how_to_mend_what_is_wrong(blastscope: Command, tmp_path: Path) -> None:
    done = blastscope("doctor", "--model", tmp_path / "absent.tflite")
    assert done.returncode == 1
    assert "WRONG" in done.stdout
    assert "blastscope quantize" in done.stdout


def test_full_disk_of_the_reader_is_told(tiny_model: Path, smears: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("FULL DISK UNTESTED: this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "edge.cli",
                "classify",
                str(smears),
                "--model",
                str(tiny_model),
                "--json",
            ],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_training_on_bad_data_leaves_nothing(
    capsys: pytest.CaptureFixture[str], smears: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(smears, cut)
    image = next((cut / "Pro").iterdir())
    image.write_bytes(image.read_bytes()[:900])
    single = tmp_path / "single"
    shutil.copytree(smears / "Pro", single / "Pro")
    few = tmp_path / "few"
    for label in ("Pro", "Pre"):
        (few / label).mkdir(parents=True)
        shutil.copy(next((smears / label).iterdir()), few / label)
    (tmp_path / "empty").mkdir()
    three = tmp_path / "three"
    shutil.copytree(smears, three)
    for path in sorted((three / "Pro").iterdir())[3:]:
        path.unlink()
    out = tmp_path / "run"
    for data, said in (
        (tmp_path / "absent", "not there"),
        (tmp_path / "empty", "no folder inside"),
        (single, "two classes"),
        (few, "3 images or more"),
        (three, "1 of class Pro"),
        (cut, image.name),
    ):
        words = ("train", "custom-cnn", "--data", data, "--out", out, "--balance", "smote")
        # In this process: six times TensorFlow would take a minute.
        code = run([str(word) for word in words])
        told = capsys.readouterr().err
        assert code == 2, told
        assert said in told
        assert "Traceback" not in told
        assert not out.exists()


def test_fault_of_its_own_is_told_without_a_traceback(tmp_path: Path) -> None:
    code = (
        "import sys, edge.cli.classify, edge.cli.main as m\n"
        "def broken(*a, **k): raise TypeError('planted')\n"
        "edge.cli.classify.command.callback = broken\n"
        "sys.exit(m.run(['classify', 'x.png', '--model', 'y.tflite']))"
    )
    for value, shown in (("", False), ("1", True)):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "BLASTSCOPE_TRACEBACK": value},
        )
        assert done.returncode == 70
        assert "TypeError: planted" in done.stderr
        assert ("Traceback" in done.stderr) is shown
