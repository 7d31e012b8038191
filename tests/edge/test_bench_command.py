"""blastscope bench on real TFLite models of every precision."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.bench.comparison import Options, compare
from edge.bench.footprint import measure_footprint
from edge.bench.images import find_images
from edge.bench.latency import Track, run_rounds, warm_up
from edge.bench.peers import PEERS
from edge.bench.sessions import PlainSession, byte_values, read_sources
from edge.cli.bench import choose_threads
from edge.cli.main import run
from edge.errors import BlastscopeError, ModelFileError
from edge.image_file import read_image
from edge.interpreter import Interpreter
from edge.labels import SMEAR_LABELS
from edge.preprocess import preprocess
from edge.smear import render_field, write_dataset
from tests.conftest import Command
from train.splits.split import Split, write_split

_SIDE = 32


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight simulated smears, two of each class; six of them are in the test part."""
    folder = tmp_path_factory.mktemp("bench") / "fields"
    write_dataset(folder, 2, seed=5, size=96)
    return folder


@pytest.fixture(scope="module")
def precisions(fields: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `blastscope precisions` makes of a run with a tiny network, trained on nothing."""
    from train.keras_loading import load_keras

    load_keras()
    import keras

    from quantize.cli.precisions import command
    from train.run_folder import RunConfig, RunFolder

    keras.utils.set_random_seed(1)
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Input((_SIDE, _SIDE, 3)),
            layers.Conv2D(32, 5, strides=4, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
            layers.Dense(4, activation="softmax"),
        ]
    )
    folder = tmp_path_factory.mktemp("precisions")
    run_folder = RunFolder(folder / "run")
    run_folder.path.mkdir()
    network.save(run_folder.model)
    found = find_images(fields)
    split = Split(
        paths=tuple(path.relative_to(fields).as_posix() for path in found.paths),
        digests=tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in found.paths),
        parts=("train", "test", "test", "test", "train", "test", "test", "test"),
        groups=tuple(range(8)),
    )
    write_split(run_folder.split, split)
    run_folder.write_config(
        RunConfig(
            network="tiny",
            data=str(fields),
            data_digest="",
            labels=list(SMEAR_LABELS),
            side=_SIDE,
            seed=0,
            test_fraction=0.2,
            epochs=0,
            balance="none",
            augmentation=[],
            weights=None,
            split_digest="",
            blastscope="0",
        )
    )
    out = folder / "made"
    assert run([str(run_folder.path), "--out", str(out)], command) == 0
    shutil.copy(run_folder.split, out / "split.csv")
    assert run([str(run_folder.path), "--out", str(out)], command) == 2, "it exists already"
    return out


def models(precisions: Path, *names: str) -> list[Path]:
    return [precisions / f"{name}.tflite" for name in names]


_ALL = ("float32", "float16", "dynamic", "int16x8", "int8")


@pytest.fixture(scope="module")
def compared(
    blastscope: Command, precisions: Path, fields: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    """The JSON and the folder of one comparison of all precisions."""
    out = tmp_path_factory.mktemp("bench-out") / "out"
    done = blastscope(
        "bench",
        *models(precisions, *_ALL),
        *("--data", fields, "--split", precisions / "split.csv"),
        *("--threads", "1,2", "--rounds", 66, "--against", ",".join(PEERS)),
        *("--out", out, "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert str(out / "bench.json") in done.stderr
    return json.loads(done.stdout), out


def test_precisions_are_what_their_names_say(precisions: Path) -> None:
    assert sorted(path.name for path in precisions.glob("*.tflite")) == sorted(
        f"{name}.tflite" for name in _ALL
    )
    size = {name: (precisions / f"{name}.tflite").stat().st_size for name in _ALL}
    assert max(size["float16"], size["dynamic"], size["int16x8"]) < size["float32"]
    for name in _ALL:
        content = (precisions / f"{name}.tflite").read_bytes()
        interpreter = Interpreter(content, name)
        kinds = {detail["dtype"] for detail in interpreter._native.get_tensor_details()}
        assert (interpreter.input.dtype == "uint8") is (name == "int8")
        assert (np.float16 in kinds) is (name == "float16")
        assert (np.int8 in kinds) is (name in ("dynamic", "int16x8", "int8"))
        assert (np.int16 in kinds) is (name == "int16x8")
    (int8,) = read_sources(models(precisions, "int8"))
    assert int8.model is not None
    assert int8.model.labels == SMEAR_LABELS
    assert read_sources(models(precisions, "float32"))[0].model is None


def test_json_has_every_figure_of_every_precision(compared: tuple[dict[str, Any], Path]) -> None:
    report, out = compared
    assert json.loads((out / "bench.json").read_text()) == report
    assert (out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert [model["name"] for model in report["models"]] == list(_ALL)
    assert report["data"]["n"] == 6
    assert (report["method"]["part"], report["method"]["missing"]) == ("test", 0)
    assert (report["method"]["rounds"], report["method"]["frames"]) == (66, 6)
    assert report["method"]["frame_sizes"] == [[96, 96]]
    assert report["reference"] == "float32"
    assert report["machine"]["cpu"]
    for model in report["models"]:
        low, high = model["accuracy"]["ci95"]
        assert low <= model["accuracy"]["share"] == model["accuracy"]["count"] / 6 <= high
        assert model["agreement"]["n"] == 6
        assert model["bytes"] == Path(model["path"]).stat().st_size
        assert model["footprint"]["peak_mb"] > 20
        assert min(model["footprint"].values()) > 0
        assert [track["threads"] for track in model["latency"]] == [1, 2]
        for track in model["latency"]:
            times = track["classify"]
            assert track["n"] == 66
            assert track["warm_up"] >= 2
            assert 0 < times["p50_ms"] <= times["p90_ms"] <= times["p99_ms"]
            assert track["ratio"] == pytest.approx(times["p50_ms"] / track["bare"]["p50_ms"])
            p90, p99 = times["early_stopping"]
            assert times["p90_ms"] <= p90["estimate_ms"]
            assert (p99["estimate_ms"], p99["needed"]) == (None, 662)
    assert report["models"][0]["agreement"]["share"] == 1.0
    assert any(model["pareto"] for model in report["models"])
    assert report["method"]["unlike_accuracy_pass"] == 0
    assert {model["delegate"] for model in report["models"][:2]} == {"XNNPACK"}


def test_peers_that_are_not_installed_are_named(compared: tuple[dict[str, Any], Path]) -> None:
    absent = [peer for peer in PEERS if find_spec(peer) is None]
    if not absent:
        pytest.skip("ABSENT PEERS UNTESTED: all of them are installed here")
    left_out = compared[0]["left_out"]
    for peer in absent:
        for name in _ALL:
            assert "Got: not installed" in left_out[f"{name} ({peer})"]
            assert f"pip install {peer}" in left_out[f"{name} ({peer})"]


def test_accuracy_is_that_of_the_runtime_itself(
    compared: tuple[dict[str, Any], Path], precisions: Path, fields: Path
) -> None:
    """Each image by hand: preprocess, normalize, invoke, argmax."""
    test_part = [
        line.split(",")[0]
        for line in (precisions / "split.csv").read_text().splitlines()
        if ",test," in line
    ]
    for model in compared[0]["models"]:
        content = Path(model["path"]).read_bytes()
        interpreter = Interpreter(content, model["name"], 1)
        right = 0
        for name in test_part:
            pixels = read_image(fields / name)
            values = preprocess(pixels, _SIDE, _SIDE)
            is_float = interpreter.input.dtype == "float32"
            interpreter.input_view()[...] = (
                (values.astype(np.float32) - 128) / 128 if is_float else values
            )
            interpreter.invoke()
            if is_float:
                # Scores, since a network that was never trained calls most images alike.
                session = PlainSession(content, model["name"], 1)
                assert session.classify(pixels) == interpreter.output_view().argmax()
                scores = session._interpreter.output_view()
                np.testing.assert_array_equal(scores, interpreter.output_view())
            right += SMEAR_LABELS[int(interpreter.output_view().argmax())] == name.split("/")[0]
        assert model["accuracy"]["count"] == right


def test_quantized_inputs_get_the_nearest_value(precisions: Path) -> None:
    interpreter = Interpreter((precisions / "int8.tflite").read_bytes(), "int8")
    assert byte_values(interpreter, "int8") is None
    spec = interpreter.input
    for dtype, scale, zero_point, wanted in (
        ("int8", 1 / 128, 0, np.arange(-128, 128)),
        ("int8", 1 / 64, -10, np.clip(np.rint(np.arange(-128, 128) / 2) - 10, -128, 127)),
        ("int16", 1 / 32768, 0, np.arange(-128, 128) * 256),
    ):
        interpreter.input = type(spec)(spec.shape, dtype, scale, zero_point)
        values = byte_values(interpreter, "x")
        assert values is not None
        assert (values.dtype, values.tolist()) == (np.dtype(dtype), wanted.tolist())
    interpreter.input = type(spec)(spec.shape, "int32", 1.0, 0)
    with pytest.raises(ModelFileError, match="int32"):
        byte_values(interpreter, "x")


def test_speed_alone_needs_no_images(blastscope: Command, precisions: Path) -> None:
    words = ["--rounds", 3, "--threads", 1, "--width", 80, "--height", 60]
    done = blastscope("bench", *models(precisions, "int8", "float32"), *words)
    assert done.returncode == 0, done.stderr
    assert "80 x 60 frame, 3 rounds" in done.stdout
    assert "ratio of p50" in done.stdout
    assert "accuracy" not in done.stdout
    assert "--rounds 662 would do" in done.stdout
    assert "no power sensor" in done.stdout or "Energy is" in done.stdout


def test_pictures_without_matplotlib_are_refused_before_the_work(
    precisions: Path, fields: Path, tmp_path: Path
) -> None:
    code = (
        "import sys, importlib.util as u; from edge.cli.main import run; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'matplotlib' else real(name, *a)\n"
        "sys.exit(run(sys.argv[1:]))"
    )
    words = [precisions / "int8.tflite", "--data", fields, "--out", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, "-c", code, "bench", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install matplotlib" in done.stderr
    assert not (tmp_path / "out").exists()


def test_bad_input_is_refused_by_name(
    precisions: Path, fields: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = precisions / "int8.tflite"
    plain = precisions / "float32.tflite"
    broken = tmp_path / "broken"
    shutil.copytree(fields, broken)
    image = next((broken / "Pre").iterdir())
    image.write_bytes(image.read_bytes()[:200])
    (tmp_path / "empty").mkdir()
    text = tmp_path / "text.tflite"
    text.write_text("no model")
    quick = ["--rounds", "1", "--threads", "1"]
    for words, said in (
        ([model, "--data", broken, *quick], str(image)),
        ([model, "--data", tmp_path / "empty"], "one folder of images per class"),
        ([model, "--data", tmp_path / "absent"], "not there"),
        ([model, "--split", precisions / "split.csv"], "--split without --data"),
        ([text], "text.tflite"),
        ([tmp_path / "absent.tflite"], "absent.tflite"),
        ([model, model], "twice"),
        ([model, "--threads", "1,x"], "Got: 1,x"),
        ([model, "--threads", "0"], "Got: 0"),
        ([model, "--threads", "100000"], "at most 64. Got: 100000"),
        ([model, "--against", "abacus"], "Got: abacus"),
        ([model, "--reference", "other"], "Got: other"),
        ([plain, "--labels", "A,B"], "4 outputs"),
        ([model, "--out", tmp_path], "must not exist yet"),
    ):
        assert run(["bench", *map(str, words)]) == 2, words
        printed = capsys.readouterr()
        assert said in printed.err
        assert printed.out == ""


def test_usual_threads_are_no_more_than_the_cores() -> None:
    counts, left_out = choose_threads(None)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert (*counts, *left_out) == (1, 2, 4)
    assert max(counts) <= (cores or 1)
    assert all(count > (cores or 1) for count in left_out)
    assert choose_threads("1,4") == ((1, 4), [])
    with pytest.raises(BlastscopeError, match="1,1"):
        choose_threads("1,1")


@pytest.mark.parametrize("machine_words", [["--json"], []])
def test_ctrl_c_prints_what_was_measured(
    precisions: Path, fields: Path, machine_words: list[str]
) -> None:
    """The signal comes from within, after the fifth round, so that the test need not wait."""
    code = (
        "import signal, sys, edge.cli.options as o; from contextlib import contextmanager\n"
        "@contextmanager\n"
        "def stage(label):\n"
        "    def show(done, total):\n"
        "        if label == 'Timing' and done == 5: signal.raise_signal(signal.SIGINT)\n"
        "    yield show\n"
        "o.progress_bar = stage\n"
        "from edge.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    words = ["bench", precisions / "int8.tflite", "--data", fields, "--threads", 1, *machine_words]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "Stopped."
    if not machine_words:
        assert "5 rounds of 8 frames" in done.stdout
        return
    report = json.loads(done.stdout)
    assert (report["method"]["rounds"], report["method"]["interrupted"]) == (5, True)
    assert report["models"][0]["latency"][0]["n"] == 5
    assert report["models"][0]["accuracy"]["n"] == 8


def test_ctrl_c_amid_the_images_gives_no_accuracy(precisions: Path, fields: Path) -> None:
    """Images come class by class: a share of the first ones would be no accuracy."""

    @contextmanager
    def stage(label: str) -> Iterator[Callable[[int, int], None]]:
        def show(done: int, total: int) -> None:
            if label == "Accuracy" and done == 3:
                signal.raise_signal(signal.SIGINT)

        yield show

    sources = read_sources(models(precisions, "int8"))
    options = Options(threads=(1,), rounds=5, time_limit_s=60, seed=0)
    frame = render_field("Early", 0, width=_SIDE, height=_SIDE)
    found = compare(sources, find_images(fields), frame, (), options, stage)
    assert found.interrupted
    assert (found.entries[0].accuracy, found.rounds, found.pareto()) == (None, 0, [])
    assert found.entries[0].footprint is not None


class Counting:
    """A session that notes which frame it got, and in what order among others."""

    runtime = delegate = input_dtype = "none"
    outputs = 1

    def __init__(self, name: str, calls: list[tuple[str, int]]) -> None:
        self.name = name
        self.calls = calls
        self.invoke: Callable[[], object] | None = None

    def classify(self, frame: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
        self.calls.append((self.name, int(frame[0, 0, 0])))
        return 0

    def close(self) -> None:
        pass


def test_rounds_give_each_model_each_frame_in_changing_order() -> None:
    calls: list[tuple[str, int]] = []
    tracks = [Track(1, Counting(name, calls)) for name in "abc"]
    frames = [np.full((2, 2, 3), value, np.uint8) for value in (10, 20)]
    warm_up(tracks, frames[0], seconds=0.0)
    assert [track.warm_up for track in tracks] == [2, 2, 2]
    calls.clear()
    run_rounds(tracks, frames, 40, 0, 60.0, lambda done, total: None)
    rounds = [calls[start : start + 3] for start in range(0, 120, 3)]
    assert all(sorted(name for name, _ in one) == ["a", "b", "c"] for one in rounds)
    assert [{value for _, value in one} for one in rounds] == [{10}, {20}] * 20
    assert len({tuple(name for name, _ in one) for one in rounds}) == 6, "all orders occur"
    assert [len(track.classify_ms) for track in tracks] == [40] * 3
    again: list[tuple[str, int]] = []
    run_rounds(
        [Track(1, Counting(n, again)) for n in "abc"], frames, 40, 0, 60.0, lambda d, t: None
    )
    assert again == calls, "the seed decides"


def test_time_limit_ends_the_rounds_with_equal_samples() -> None:
    calls: list[tuple[str, int]] = []
    tracks = [Track(1, Counting(name, calls)) for name in "ab"]
    run_rounds(tracks, [np.zeros((2, 2, 3), np.uint8)], 10**9, 0, 0.05, lambda d, t: None)
    assert len(tracks[0].classify_ms) == len(tracks[1].classify_ms) >= 1


def test_memory_is_that_of_the_runtime_alone(precisions: Path) -> None:
    """Not of the process that asks: what getrusage tells a child starts with its parent's."""
    (source,) = read_sources(models(precisions, "float32"))
    ballast = np.ones(300_000_000, np.uint8)
    found = measure_footprint(source, None, 1)
    assert ballast.all()
    assert found is not None
    assert 20 < found.peak_mb < 250
    code = "import sys, edge.bench.footprint; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "matplotlib", "train", "quantize"} & set(done.stdout.split())


def test_model_that_is_no_image_classifier_is_refused(precisions: Path) -> None:
    content = (precisions / "float32.tflite").read_bytes()
    session = PlainSession(content, "float32", 1)
    assert (session.outputs, session.input_dtype) == (4, "float32")
    with pytest.raises(ModelFileError, match="cut"):
        PlainSession(content[:600], "cut", 1)
