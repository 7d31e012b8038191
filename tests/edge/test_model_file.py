"""Model files and what runs them: good ones work, bad ones say why not."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.classifier import Classifier
from edge.errors import BlastscopeError, FrameError, ModelFileError
from edge.interpreter import Interpreter
from edge.labels import SMEAR_LABELS
from edge.model_file import CARD_NAME, LABELS_NAME, read_model_file
from edge.smear import render_field


def plain_part(content: bytes) -> bytes:
    """The TFLite model without the archive behind it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content[: min(info.header_offset for info in archive.infolist())]


@pytest.fixture
def repack(tiny_model: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the model anew with other packed files."""

    def write(change: Callable[[dict[str, bytes]], None]) -> Path:
        content = tiny_model.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        change(files)
        packed = io.BytesIO()
        packed.write(plain_part(content))
        with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        path = tmp_path / "changed.tflite"
        path.write_bytes(packed.getvalue())
        return path

    return write


def change_card(key: str, value: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        card = json.loads(files[CARD_NAME])
        *parents, last = key.split(".")
        place = card
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
        files[CARD_NAME] = json.dumps(card).encode()

    return change


def test_model_tells_its_labels_input_and_origin(tiny_model: Path) -> None:
    model = read_model_file(tiny_model)
    assert model.labels == SMEAR_LABELS
    assert (model.height, model.width) == (224, 224)
    assert model.name == "custom-cnn"
    assert model.model_id == f"custom-cnn@{model.digest[:8]}"
    assert model.card["metrics"]["int8"]["n"] > 0
    assert model.card["training"]["seed"] == 0


def test_model_is_a_zip_archive_that_any_tool_lists(tiny_model: Path) -> None:
    with zipfile.ZipFile(tiny_model) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [LABELS_NAME, CARD_NAME]
        assert archive.read(LABELS_NAME).decode().split() == list(SMEAR_LABELS)


def test_classifier_gives_probabilities_and_times(tiny_model: Path) -> None:
    frame = render_field("Pre", 1, width=640, height=480)
    with Classifier.load(tiny_model, threads=1) as classifier:
        first, second = classifier.classify(frame), classifier.classify(frame)
    assert tuple(first.scores) == SMEAR_LABELS
    assert sum(first.scores.values()) == pytest.approx(1.0, abs=0.02)
    assert first.label == max(first.scores, key=lambda label: first.scores[label])
    assert set(first.timing_ms) == {"preprocess", "invoke"}
    assert all(milliseconds > 0 for milliseconds in first.timing_ms.values())
    assert first.scores == second.scores
    assert first.model_id.startswith("custom-cnn@")
    with pytest.raises(AttributeError):
        first.label = "Benign"  # type: ignore[misc]


def test_threads_do_not_change_the_result(tiny_model: Path) -> None:
    frame = render_field("Early", 2)
    results = []
    for threads in (1, 2, 4):
        with Classifier.load(tiny_model, threads) as classifier:
            results.append(classifier.classify(frame).scores)
    assert results[0] == results[1] == results[2]


def test_closed_classifier_and_bad_frames_are_refused(tiny_model: Path) -> None:
    classifier = Classifier.load(tiny_model)
    with pytest.raises(FrameError):
        classifier.classify(np.zeros((10, 10), np.uint8))
    classifier.classify(np.zeros((10, 10, 3), np.uint8))
    classifier.close()
    classifier.close()
    with pytest.raises(BlastscopeError, match="closed"):
        classifier.classify(np.zeros((10, 10, 3), np.uint8))


def test_interpreter_gives_views_of_its_own_memory(tiny_model: Path) -> None:
    interpreter = Interpreter(tiny_model.read_bytes(), "tiny")
    interpreter.input_view()[...] = 7
    assert (interpreter.input_view() == 7).all()
    held = interpreter.input_view()
    with pytest.raises(BlastscopeError, match="released"):
        interpreter.invoke()
    del held
    interpreter.invoke()
    assert interpreter.output_view().shape == (4,)


def test_interpreter_says_what_runs_it(tiny_model: Path) -> None:
    interpreter = Interpreter(tiny_model.read_bytes(), "tiny", threads=3)
    assert interpreter.runtime.startswith("ai-edge-litert 2")
    assert interpreter.delegate == "XNNPACK"
    assert interpreter.threads == 3
    assert (interpreter.input.scale, interpreter.input.zero_point) == (1 / 128, 128)
    assert (interpreter.output.scale, interpreter.output.zero_point) == (1 / 256, 0)
    with pytest.raises(BlastscopeError, match="at least 1"):
        Interpreter(tiny_model.read_bytes(), "tiny", threads=0)


def test_loading_prints_nothing(tiny_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Classifier.load(tiny_model).close()
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("content", [b"", b"text", b"\0" * 500, b"PK\x03\x04" + b"\0" * 90])
def test_file_that_is_not_tflite_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"must be a TFLite file. Got: \d+ bytes"):
        read_model_file(path)


def test_absent_model_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="No such file"):
        read_model_file(tmp_path / "absent.tflite")
    with pytest.raises(ModelFileError, match="directory"):
        read_model_file(tmp_path)


def test_plain_tflite_names_the_command_that_mends_it(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.tflite"
    path.write_bytes(plain_part(tiny_model.read_bytes()))
    with pytest.raises(ModelFileError, match=r"plain TFLite file.*blastscope pack"):
        read_model_file(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_truncated_model_is_refused(tiny_model: Path, tmp_path: Path, kept: float) -> None:
    content = tiny_model.read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ModelFileError):
        Classifier.load(path)


def test_damaged_graph_behind_a_good_card_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    content = bytearray(tiny_model.read_bytes())
    content[8:4000] = b"\xff" * 3992
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="can run"):
        Classifier.load(path)


@pytest.mark.parametrize(
    ("key", "value", "got"),
    [
        ("format", 99, "format 99"),
        ("labels", ["Benign"], "two or more labels"),
        ("labels", ["Benign", "Benign", "Pre", "Pro"], "all different"),
        ("labels", "Benign", "not a list"),
        ("labels", None, "KeyError"),
        ("name", "", "name"),
        ("preprocessing", [], "TypeError"),
        ("preprocessing.method", "squeeze", "unknown preprocessing"),
        ("preprocessing.height", -1, "height -1"),
        ("preprocessing.width", 1.5, "width 1.5"),
    ],
)
def test_card_that_cannot_be_relied_on_is_refused(
    repack: Callable[..., Path], key: str, value: object, got: str
) -> None:
    with pytest.raises(ModelFileError, match=got):
        read_model_file(repack(change_card(key, value)))


def test_card_that_does_not_fit_the_graph_is_refused(repack: Callable[..., Path]) -> None:
    path = repack(change_card("preprocessing.height", 192))
    with pytest.raises(
        ModelFileError, match=r"\(1, 192, 224, 3\).*Got: uint8 .*\(1, 224, 224, 3\)"
    ):
        Classifier.load(path)


def test_card_and_label_file_must_agree(repack: Callable[..., Path]) -> None:
    def swap(files: dict[str, bytes]) -> None:
        files[LABELS_NAME] = b"Pro\nPre\nEarly\nBenign\n"

    with pytest.raises(ModelFileError, match="label file"):
        read_model_file(repack(swap))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_card_that_is_no_json_object_is_refused(repack: Callable[..., Path], data: bytes) -> None:
    with pytest.raises(ModelFileError, match="card"):
        read_model_file(repack(lambda files: files.update({CARD_NAME: data})))


def test_packed_file_that_unpacks_to_a_giant_is_refused(repack: Callable[..., Path]) -> None:
    path = repack(lambda files: files.update({CARD_NAME: b" " * 50_000_000}))
    assert path.stat().st_size < 2_000_000
    with pytest.raises(ModelFileError, match="longer than"):
        read_model_file(path)
