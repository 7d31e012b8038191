"""TFLite Metadata, read back by the schema's slots and, slowly, by MediaPipe itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.table import Table

from edge.classifier import Classifier
from edge.image_file import read_image
from edge.model_file import read_model_file
from edge.preprocess import preprocess
from edge.shipped_models import SHIPPED_MODELS, shipped_model
from edge.smear import render_field
from quantize.metadata import build_metadata, pack
from tests.edge.test_model_file import plain_part


def child(table: Table, slot: int) -> Table:
    return Table(table.Bytes, table.Indirect(table.Pos + table.Offset(4 + 2 * slot)))


def element(table: Table, slot: int) -> Table:
    start = table.Vector(table.Offset(4 + 2 * slot))
    return Table(table.Bytes, table.Indirect(start))


def text(table: Table, slot: int) -> str:
    return table.String(table.Pos + table.Offset(4 + 2 * slot)).decode()


def test_metadata_holds_names_normalization_and_labels() -> None:
    data = build_metadata("net", "what it is", "1.2", ("a", "b"), 128, 64)
    assert data[4:8] == b"M001"
    root = Table(bytearray(data), int.from_bytes(data[:4], "little"))
    assert [text(root, slot) for slot in (0, 1, 2)] == ["net", "what it is", "1.2"]
    subgraph = element(root, 3)
    image, scores = element(subgraph, 2), element(subgraph, 3)
    assert (text(image, 0), text(scores, 0)) == ("image", "scores")
    unit = element(image, 4)
    options = child(unit, 1)
    for slot, value in ((0, 128.0), (1, 64.0)):
        start = options.Vector(options.Offset(4 + 2 * slot))
        assert options.Get(flatbuffers.number_types.Float32Flags, start) == value
    assert text(element(scores, 6), 0) == "labels.txt"


def test_packing_again_replaces_what_was_packed(tiny_model: Path) -> None:
    content = tiny_model.read_bytes()
    packed = pack(content, b"metadata", {"labels.txt": b"x\n"})
    model = schema.ModelT.InitFromPackedBuf(bytearray(plain_part(packed)))
    entries = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    assert len(entries) == 1
    assert bytes(model.buffers[entries[0].buffer].data) == b"metadata"


_READ_WITH_MEDIAPIPE = """
import json, sys
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision
model, *images = sys.argv[1:]
options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=model))
with vision.ImageClassifier.create_from_options(options) as classifier:
    for image in images:
        result = classifier.classify(mp.Image.create_from_file(image))
        scores = {c.category_name: c.score for c in result.classifications[0].categories}
        print(json.dumps(scores))
"""


@pytest.fixture(scope="module")
def mediapipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with MediaPipe, which brings an OpenCV of its own."""
    environment = tmp_path_factory.mktemp("mediapipe")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "mediapipe==1.2.2"], check=True)
    return python


def read_with_mediapipe(python: Path, model: Path, paths: list[Path]) -> list[dict[str, float]]:
    done = subprocess.run(
        [python, "-c", _READ_WITH_MEDIAPIPE, model, *paths],
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_mediapipe_says_the_same_of_real_smears(
    name: str, mediapipe: Path, shared: Path, tmp_path: Path
) -> None:
    """It gets the pixels of the network's input: it decodes and resizes in ways of its own."""
    model = read_model_file(shipped_model(name))
    paths = []
    for number, path in enumerate(sorted((shared / "data" / "all4").rglob("*.jpg"))[::20]):
        paths.append(tmp_path / f"{number}.png")
        pixels = preprocess(read_image(path), model.height, model.width)
        cv2.imwrite(str(paths[-1]), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    assert len(paths) >= 100
    theirs = read_with_mediapipe(mediapipe, shipped_model(name), paths)
    assert len(theirs) == len(paths)
    with Classifier.load(name) as classifier:
        for path, scores in zip(paths, theirs, strict=True):
            mine = classifier.classify(read_image(path))
            assert max(scores, key=lambda label: scores[label]) == mine.label, path
            assert scores == pytest.approx(dict(mine.scores), abs=1e-6), path


@pytest.mark.slow
def test_mediapipe_runs_the_very_file(tiny_model: Path, mediapipe: Path, tmp_path: Path) -> None:
    paths = []
    for seed in range(20):
        path = tmp_path / f"{seed}.png"
        frame = render_field(
            ("Benign", "Early", "Pre", "Pro")[seed % 4], seed, width=224, height=224
        )
        cv2.imwrite(str(path), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        paths.append(path)
    theirs = read_with_mediapipe(mediapipe, tiny_model, paths)
    assert len(theirs) == 20
    with Classifier.load(tiny_model) as classifier:
        for path, scores in zip(paths, theirs, strict=True):
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            mine = classifier.classify(np.ascontiguousarray(pixels))
            assert scores == pytest.approx(dict(mine.scores), abs=1e-6)
