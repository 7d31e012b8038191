"""`blastscope train head`: from images to a model file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import quantize.head.frozen_backbone as frozen
from edge.classifier import Classifier
from edge.cli.main import run
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter
from edge.model_file import read_model_file
from edge.verification import verify_model
from quantize.abstention import find_embedding
from train.evaluation.models import load_evaluation_model
from train.image_set import read_image_set

Capture = pytest.CaptureFixture[str]

#: 96 images are too few for the gate, which is tested elsewhere.
LAX = (
    *("--max-drop", "100", "--max-sensitivity-drop", "100", "--accept-too-few"),
    *("--max-malignant-to-benign", "1000", "--min-agreement", "0"),
)


def _head(smears: Path, out: Path, weights: object, *words: object) -> int:
    options = ("train", "head", "--data", smears, "--out", out, "--weights", weights, *words)
    return run([str(word) for word in options])


@pytest.fixture(scope="module")
def weights(shared: Path) -> Path:
    return shared / "weights" / "mobilenet_v2_1.0_224_no_top.weights.h5"


@pytest.fixture(scope="module")
def model(smears: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model on a backbone that was quantized with one field of each class, to take less time."""
    out = tmp_path_factory.mktemp("heads") / "model.tflite"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frozen, "CALIBRATION_PER_CLASS", 1)
        assert _head(smears, out, weights, *LAX) == 0
        yield out


@pytest.mark.slow
def test_head_is_an_ordinary_model(model: Path, smears: Path) -> None:
    assert {one.state for one in verify_model(model)} <= {"ok", "not checked"}
    card = read_model_file(model).card
    assert card["name"] == "mobilenet-v2-head"
    assert card["labels"] == ["Benign", "Early", "Pre", "Pro"]
    assert card["quantization"]["step"] == "linear head on a frozen backbone"
    assert set(card["answer"]) == {"quality", "conformal", "domain"}
    assert card["gate"]["unseen_by_calibration"]["n"] == 96, "it saw simulated fields of its own"
    image_set = read_image_set(smears, 224, 224)
    places = np.arange(0, 96, 6)
    scores = load_evaluation_model(model).score(image_set.images[places])
    with Classifier.load(model) as classifier:
        assert classifier.classify(image_set.images[0]).label in card["labels"]
    # The last layer is the regression itself: it knows what it was fitted to.
    assert (scores.argmax(axis=1) == image_set.targets[places]).mean() > 0.5


@pytest.mark.slow
def test_next_head_rests_on_what_was_kept(
    model: Path, weights: Path, smears: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "again.tflite"
    assert _head(smears, out, weights, *LAX, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["embedded"] == 0
    assert out.read_bytes() == model.read_bytes(), "the same images give the same file"
    # A few features: another head on the same backbone.
    few = tmp_path / "few.tflite"
    assert (
        _head(smears, few, weights, *LAX, "--features", "10", "--split", "grouped", "--json") == 0
    )
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert (report["embedded"], report["features"]) == (0, 10)
    assert "Quantizing the backbone" not in told.err
    assert "grouped split" in read_model_file(few).card["training"]["split"]
    image = read_image_set(smears, 224, 224).images[0]
    embeddings = []
    for path in (out, few):
        content = read_model_file(path).content
        tensor = find_embedding(content)
        interpreter = Interpreter(with_outputs(content, [tensor]), "test", 1, outputs=2)
        interpreter.input_view()[...] = image
        interpreter.invoke()
        embeddings.append(interpreter.output_view(1).copy())
    assert np.array_equal(*embeddings)


@pytest.mark.slow
def test_failed_gate_writes_nothing(
    model: Path, weights: Path, smears: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "models" / "model.tflite"
    assert _head(smears, out, weights, "--max-drop", "-100") == 1
    assert "No model was written" in capsys.readouterr().err
    assert not out.parent.exists()


def test_bad_input_is_told_plainly(smears: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "model.tflite"
    out.write_bytes(b"mine")
    new = tmp_path / "new.tflite"
    for words, message in (
        ((out, "none"), "--overwrite"),
        ((smears / "model.tflite", "none"), "outside the folder of the classes"),
        ((new, tmp_path / "absent.h5"), "the path of a .h5 file"),
        ((new, "none", "--split", "even"), "--split is"),
        ((new, "none", "--fold", "6/5"), "A fold is I/K"),
        ((new, "none", "--fold", "1/5", "--test-fraction", "0.3"), "--test-fraction"),
    ):
        assert _head(smears, *words) == 2
        told = capsys.readouterr().err
        assert message in told
        assert "Traceback" not in told
    assert out.read_bytes() == b"mine"
    assert not new.exists()


@pytest.mark.slow
def test_damaged_backbone_is_quantized_anew(
    model: Path, image_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder,) = (image_cache / "backbones").iterdir()
    file = folder / "int8.tflite"
    sound = file.read_bytes()
    assert frozen._read(folder, "key") is not None
    file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    try:
        assert frozen._read(folder, "key") is None
    finally:
        file.write_bytes(sound)
    assert "damaged backbone" in caplog.text
