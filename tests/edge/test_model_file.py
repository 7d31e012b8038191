"""Model files and what runs them: good ones work, bad ones say why not."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.classifier import Classifier
from edge.errors import BlastscopeError, FrameError, ModelFileError
from edge.interpreter import Interpreter
from edge.labels import SMEAR_LABELS
from edge.model_archive import DOMAIN_NAME
from edge.model_file import CARD_NAME, LABELS_NAME, parse_model_file, read_model_file
from edge.smear import render_field
from tests.edge.small_model import make_model, put_together, take_apart


def plain_part(content: bytes) -> bytes:
    """The TFLite model without the archive behind it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content[: min(info.header_offset for info in archive.infolist())]


@pytest.fixture(scope="module")
def small() -> bytes:
    return make_model()


@pytest.fixture
def repack(small: bytes, tmp_path: Path) -> Callable[..., Path]:
    """Write the small model anew with other packed files, or another graph."""

    def write(
        change: Callable[[dict[str, bytes]], None] = lambda files: None,
        graph: bytes | None = None,
    ) -> Path:
        own_graph, files = take_apart(small)
        change(files)
        path = tmp_path / "changed.tflite"
        path.write_bytes(put_together(graph or own_graph, files))
        return path

    return write


DELETED = object()


def change_card(key: str, value: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        card = json.loads(files[CARD_NAME])
        *parents, last = key.split(".")
        place = card
        for parent in parents:
            place = place[parent]
        if value is DELETED:
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
        frames = [f"golden/{number}.png" for number in range(4)]
        assert archive.namelist() == [LABELS_NAME, CARD_NAME, DOMAIN_NAME, *frames]
        assert archive.read(LABELS_NAME).decode().split() == list(SMEAR_LABELS)


def test_classifier_gives_probabilities_and_times(tiny_model: Path) -> None:
    frame = render_field("Pre", 1, width=640, height=480)
    with Classifier.load(tiny_model, threads=1) as classifier:
        first, second = classifier.classify(frame), classifier.classify(frame)
    assert tuple(first.scores) == SMEAR_LABELS
    assert sum(first.scores.values()) == pytest.approx(1.0, abs=0.02)
    assert first.label == max(first.scores, key=lambda label: first.scores[label])
    assert set(first.timing_ms) == {"preprocess", "quality", "invoke", "decide"}
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


def test_damaged_graph_goes_no_further_than_its_hash(
    small: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(small)
    content[600] ^= 1
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content)
    monkeypatch.setattr("edge.classifier.Interpreter", None)  # reaching it is a TypeError
    with pytest.raises(ModelFileError, match=r"as it was packed. Got: graph: SHA-256"):
        Classifier.load(path)


def test_graph_that_no_runtime_takes_is_refused(small: bytes, repack: Callable[..., Path]) -> None:
    graph = take_apart(small)[0][:8] + b"\xff" * 3992
    part = {"bytes": len(graph), "sha256": hashlib.sha256(graph).hexdigest()}
    with pytest.raises(ModelFileError, match="outputs must be listed"):
        Classifier.load(repack(change_card("graph", part), graph=graph))
    with pytest.raises(ModelFileError, match="can run"):
        Interpreter(graph, "damaged")


@pytest.mark.parametrize(
    ("version", "advice"), [(1, "Quantize its run again"), (99, "Update blastscope")]
)
def test_file_of_another_time_says_what_to_do(
    repack: Callable[..., Path], version: int, advice: str
) -> None:
    path = repack(change_card("format", version))
    with pytest.raises(
        ModelFileError, match=f"must be of format 3. Got: format {version}.*{advice}"
    ):
        read_model_file(path)


@pytest.mark.parametrize(
    ("key", "value", "got"),
    [
        ("format", "3", "format must be 3, not '3'"),
        ("labels", ["Benign"], "labels must have items from 2"),
        ("labels", ["Benign", "Benign", "Pre", "Pro"], "all different"),
        ("labels", ["Benign", "Ea\nrly"], r"labels\[1\] must not match"),
        ("labels", "Benign", "labels must be of type array"),
        ("labels", DELETED, "labels must be there"),
        ("name", "", "name must have a length from 1"),
        ("name", "x" * 10_000, "name must have a length up to 200"),
        ("name", "\ud800", "UnicodeEncodeError"),
        ("model_version", 0, "model_version must be at least 1"),
        ("model_version", True, "model_version must be of type integer"),
        ("preprocessing", [], "preprocessing must be of type object"),
        ("preprocessing.method", "squeeze", "Got: 'squeeze'"),
        ("preprocessing.height", -1, "height must be at least 1, not -1"),
        ("preprocessing.width", 1.5, "width must be of type integer"),
        ("preprocessing.std", 0, "std must be above 0"),
        ("decision.malignant_threshold", 0.5, "malignant_threshold must be of type null"),
        ("decision.temperature", {"temperature": 2.0, "folded": False}, "folded must be True"),
        ("decision.benign_label", "Pro", "benign_label must be 'Benign', not 'Pro'"),
        ("surprise", 1, "surprise must not be there"),
        ("golden.frames", [], "golden.frames must have items from 1"),
        ("graph.sha256", "0" * 64, "graph: SHA-256"),
        ("graph.bytes", 1, "bytes in place of 1"),
        ("members", {"labels.txt": {"bytes": 21, "sha256": "0" * 64}}, "labels.txt: SHA-256"),
    ],
)
def test_card_that_cannot_be_relied_on_is_refused(
    repack: Callable[..., Path], key: str, value: object, got: str
) -> None:
    with pytest.raises(ModelFileError, match=got):
        read_model_file(repack(change_card(key, value)))


def test_card_that_does_not_fit_the_graph_is_refused(repack: Callable[..., Path]) -> None:
    path = repack(change_card("preprocessing.height", 24))
    with pytest.raises(ModelFileError, match=r"\(1, 24, 32, 3\).*Got: uint8 .*\(1, 32, 32, 3\)"):
        Classifier.load(path)


@pytest.mark.parametrize(("key", "value"), [("mean", 5), ("std", 1)])
def test_card_that_normalizes_otherwise_than_the_graph_is_refused(
    repack: Callable[..., Path], key: str, value: float
) -> None:
    path = repack(change_card(f"preprocessing.{key}", value))
    with pytest.raises(ModelFileError, match="Got: zero point 128 and scale"):
        Classifier.load(path)


def test_card_and_label_file_must_agree(repack: Callable[..., Path]) -> None:
    labels = b"Pro\nPre\nEarly\nBenign\n"

    def swap(files: dict[str, bytes]) -> None:
        part = {"bytes": len(labels), "sha256": hashlib.sha256(labels).hexdigest()}
        card = json.loads(files[CARD_NAME])
        card["members"][LABELS_NAME] = part
        files.update({LABELS_NAME: labels, CARD_NAME: json.dumps(card).encode()})

    with pytest.raises(ModelFileError, match="label file"):
        read_model_file(repack(swap))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b'{"format": 2, "format": 2}', b"NaN"],
)
def test_card_that_is_no_json_object_is_refused(repack: Callable[..., Path], data: bytes) -> None:
    with pytest.raises(ModelFileError, match="card"):
        read_model_file(repack(lambda files: files.update({CARD_NAME: data})))


def test_packed_file_that_is_a_giant_is_refused(repack: Callable[..., Path]) -> None:
    path = repack(lambda files: files.update({CARD_NAME: b" " * 2_000_000}))
    with pytest.raises(ModelFileError, match="longer than"):
        read_model_file(path)


def test_packed_files_are_never_unpacked(small: bytes, tmp_path: Path) -> None:
    """A giant that compresses to nothing is refused by its way of packing alone."""
    graph, files = take_apart(small)
    path = tmp_path / "bomb.tflite"
    path.write_bytes(graph)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, CARD_NAME: b" " * 50_000_000}.items():
            archive.writestr(name, data)
    with pytest.raises(ModelFileError, match="compressed"):
        read_model_file(path)


def reorder(files: dict[str, bytes]) -> None:
    for name in sorted(files, reverse=True):
        files[name] = files.pop(name)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda files: files.update({"../../etc/passwd": b"x"}), "file named '../../etc/passwd'"),
        (lambda files: files.update({"/etc/passwd": b"x"}), "file named '/etc/passwd'"),
        (lambda files: files.update({"golden/../x.png": b"x"}), "file named 'golden/../x.png'"),
        (lambda files: files.update({"golden/9.png": b"x"}), "only labels.txt"),
        (lambda files: files.update({"golden/4.png": b"x"}), "golden/4.png: not in the card"),
        (lambda files: files.pop("golden/3.png"), "golden/3.png: not in the file"),
        (lambda files: files.pop(LABELS_NAME), "only blastscope.json"),
        (lambda files: files.update({"golden/0.png": b"x"}), "golden/0.png: 1 bytes in place"),
        (lambda files: files.update({f"golden/{i}.png": b"" for i in range(99)}), "102 files"),
        (reorder, "the order labels.txt, golden/3.png"),
    ],
)
def test_archive_with_other_files_is_refused(
    repack: Callable[..., Path], change: Callable[[dict[str, bytes]], None], got: str
) -> None:
    with pytest.raises(ModelFileError, match=got):
        read_model_file(repack(change))


def test_nothing_hides_around_the_archive(small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "changed.tflite"
    start = len(take_apart(small)[0])
    with_comment = small[:-2] + b"\x02\x00hi"
    for content, got in (
        (small + b"\0", "cut off, or has something behind"),
        (with_comment, "cut off, or has something behind"),
        (small[:start] + b"\0" + small[start:], "a directory that is not before its end"),
        (small[:8] + b"\0" + small[8:], "a directory that is not before its end"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=got):
            read_model_file(path)


def test_damaged_member_is_named(small: bytes) -> None:
    place = small.index(b"Benign\nEarly")
    changed = small[:place] + b"benign" + small[place + 6 :]
    with pytest.raises(ModelFileError, match=r"Got: labels\.txt with a wrong checksum"):
        parse_model_file(Path("changed"), changed)


def test_every_bit_of_the_archive_counts(small: bytes) -> None:
    """Also those that no reader of zip archives looks at."""
    start = len(take_apart(small)[0])
    random = np.random.default_rng(0)
    for place in [*range(start, start + 40), *random.integers(start, len(small), 400)]:
        content = bytearray(small)
        content[place] ^= 1 << int(random.integers(8))
        with pytest.raises(ModelFileError):
            parse_model_file(Path("changed"), bytes(content))


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ModelFileError, match="neither a file nor a folder"):
            read_model_file(path)


def test_giant_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "giant.tflite"
    with path.open("wb") as file:
        file.write(b"\0\0\0\0TFL3")
        file.truncate(10 * 2**30)
    with pytest.raises(ModelFileError, match="at most 67108864 bytes"):
        read_model_file(path)


def test_shipped_networks_stay_small(tiny_model: Path) -> None:
    """The custom CNN with its golden frames, which are a fifth of it."""
    assert tiny_model.stat().st_size < 700_000
