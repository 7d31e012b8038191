"""Class activation: that it is what makes the logits, and how it is drawn."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import Classifier
from edge.activation import draw_activation
from edge.errors import BlastscopeError, ModelFileError
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter
from edge.labels import SMEAR_LABELS
from edge.model_archive import CARD_NAME
from edge.model_file import read_model_file
from quantize.card import minimal_card
from quantize.packing import pack_model
from tests.conftest import Command
from tests.edge.small_model import ACTIVATION, ANSWER, DOMAIN, SIDE, make_graph, make_model

#: The small model's tensor of logits, and what its dense layer adds to each.
LOGITS = 6
BIAS = np.array([200, -100, 0, 50]) * 0.1 / 128


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(make_model())
    return path


def two_halves() -> np.ndarray:
    """A frame that is red on the left and blue on the right."""
    frame = np.full((SIDE, SIDE, 3), 128, np.uint8)
    frame[:, : SIDE // 2, 0] = 250
    frame[:, SIDE // 2 :, 2] = 250
    return frame


def test_mean_of_the_map_is_the_logit(model: Path) -> None:
    frame = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    reader = Interpreter(with_outputs(make_graph(), [LOGITS]), "small", 1, outputs=2)
    reader.input_view()[...] = frame
    reader.invoke()
    spec = reader.outputs[1]
    logits = (reader.output_view(1).astype(float) - spec.zero_point) * spec.scale
    with Classifier.load(model, 1, activation=True) as classifier:
        classifier.classify(frame)
        for place, label in enumerate(SMEAR_LABELS):
            activation = classifier.activation_map(label)
            assert activation.shape == (SIDE, SIDE)
            # The graph rounds the mean to a step of 1/128, which weights of up to 10 enlarge, and
            # the logit to a step of 0.1.
            assert activation.mean() + BIAS[place] == pytest.approx(logits[place], abs=0.2)


def test_map_tells_where(model: Path) -> None:
    with Classifier.load(model, 1, activation=True) as classifier:
        classifier.classify(two_halves())
        # Benign is weighed towards red, Pre towards blue.
        benign, pre = classifier.activation_map("Benign"), classifier.activation_map("Pre")
    assert (benign[:, : SIDE // 2] > 0).all()
    assert (benign[:, SIDE // 2 :] < 0).all()
    assert (pre[:, SIDE // 2 :] > 0).all()


def test_predictions_are_the_same_with_and_without(model: Path) -> None:
    frame = two_halves()
    with Classifier.load(model, 1) as one, Classifier.load(model, 1, activation=True) as other:
        alone, both = one.classify(frame), other.classify(frame)
    assert (alone.scores, alone.decision) == (both.scores, both.decision)


def test_map_is_refused_where_it_was_not_asked_for(model: Path) -> None:
    with Classifier.load(model, 1) as classifier:
        classifier.classify(two_halves())
        with pytest.raises(BlastscopeError, match="activation=True"):
            classifier.activation_map("Pre")
    with (
        Classifier.load(model, 1, activation=True) as classifier,
        pytest.raises(BlastscopeError, match="Got: Lymphoma"),
    ):
        classifier.activation_map("Lymphoma")


def pack(path: Path, activation: dict[str, int] | None) -> Path:
    card = minimal_card("small", SMEAR_LABELS, SIDE, SIDE) | {"answer": ANSWER}
    if activation is not None:
        card["activation"] = activation
    path.write_bytes(pack_model(make_graph(), card, DOMAIN.to_bytes()))
    return path


@pytest.mark.parametrize(
    ("activation", "said"),
    [
        (None, "no `activation` in its card"),
        ({"tensor": 3, "weights": 4}, r"int8 of shape \(1, 3\)"),
        ({"tensor": 1, "weights": 5}, r"weights of \(4,\)"),
        ({"tensor": 1, "weights": 999}, r"weights of \(0,\)"),
        ({"tensor": 999, "weights": 4}, "999"),
    ],
    ids=str,
)
def test_tensors_that_cannot_be_are_refused(
    tmp_path: Path, activation: dict[str, int] | None, said: str
) -> None:
    path = pack(tmp_path / "odd.tflite", activation)
    with pytest.raises(ModelFileError, match=said):
        Classifier.load(path, 1, activation=True)
    # Who does not ask for it is not troubled.
    Classifier.load(path, 1).close()


def test_card_says_where_it_comes_from(model: Path) -> None:
    card = json.loads(read_model_file(model).members[CARD_NAME])
    assert card["activation"] == ACTIVATION


def test_drawing_brightens_what_speaks_for_the_class() -> None:
    frame = np.full((100, 200, 3), 100, np.uint8)
    activation = np.array([[4.0, 0.0], [-3.0, 0.0]], np.float32)
    picture = draw_activation(frame, activation, 25, 25)
    assert picture.shape == (400, 800, 3)
    # The network sees the middle square alone.
    assert (picture[:, :200] == 100).all()
    assert (picture[:, 600:] == 100).all()
    seen = picture[:, 200:600].astype(int).sum(axis=2)
    assert seen[:100, :100].min() > seen[200:, 200:].max()
    assert (frame == 100).all()


def test_drawing_leaves_the_margin_that_the_network_does_not_see() -> None:
    frame = np.full((100, 200, 3), 100, np.uint8)
    picture = draw_activation(frame, np.ones((2, 2), np.float32), 32, 32)
    # Three times 32 rows and columns in the middle, and each pixel four times.
    changed = (picture != 100).any(axis=2)
    assert np.flatnonzero(changed.any(axis=1)).tolist() == list(range(8, 392))
    assert np.flatnonzero(changed.any(axis=0)).tolist() == list(range(208, 592))


def test_drawing_without_anything_positive_is_dark_alike() -> None:
    picture = draw_activation(
        np.full((50, 50, 3), 200, np.uint8), np.full((4, 4), -1.0, np.float32), 25, 25
    )
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1


def test_classify_writes_a_picture_of_each_image(
    blastscope: Command, model: Path, tmp_path: Path
) -> None:
    fields = tmp_path / "fields"
    for name in ("a/x.png", "b/x.png"):
        (fields / name).parent.mkdir(parents=True)
        assert cv2.imwrite(str(fields / name), two_halves())
    (fields / "broken.png").write_bytes(b"no image")
    out = tmp_path / "maps"
    done = blastscope("classify", fields, "--model", model, "--activation", out, "--json")
    assert done.returncode == 2, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["activation"]).name for row in rows if "activation" in row] == [
        "x.png",
        "x-2.png",
    ]
    assert sorted(path.name for path in out.iterdir()) == ["x-2.png", "x.png"]
    assert cv2.imread(str(out / "x.png")).shape == (4 * SIDE, 4 * SIDE, 3)
