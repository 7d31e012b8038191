"""A dense layer written into a model file says what it says in numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import quantize.head.fitting as fitting
from edge.classifier import read_embedding
from edge.errors import QuantizationError, TrainingError
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter
from quantize.abstention import find_embedding
from quantize.head.choice import head_scores
from quantize.head.fitting import fit_head, rank_strengths, select_features
from quantize.head.graph import DenseHead, head_alone, put_head
from quantize.recovery.attempt import score
from tests.edge.test_model_file import plain_part
from train.image_set import read_image_set


@pytest.fixture(scope="module")
def classifier(tiny_model: Path) -> bytes:
    """An int8 custom CNN, whose embedding has 192 numbers."""
    return plain_part(tiny_model.read_bytes())


@pytest.fixture(scope="module")
def images(smears: Path) -> NDArray[np.uint8]:
    return read_image_set(smears, 224, 224).images[::8]


def _embeddings(content: bytes, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    tensor = find_embedding(content)
    interpreter = Interpreter(with_outputs(content, [tensor]), "test", 1, outputs=2)
    rows = []
    for image in images:
        interpreter.input_view()[...] = image
        interpreter.invoke()
        rows.append(read_embedding(interpreter))
    return np.array(rows, np.float32)


@pytest.mark.parametrize("classes", [2, 4, 7])
def test_head_of_any_size_says_what_it_says_in_numpy(
    classifier: bytes, images: NDArray[np.uint8], classes: int
) -> None:
    generator = np.random.default_rng(classes)
    embeddings = _embeddings(classifier, images)
    length = embeddings.shape[1]
    spread = embeddings.std(axis=0).mean()
    weights = generator.normal(size=(length, classes)) / spread / length**0.5 / 4
    weights[::3] = 0.0
    head = DenseHead(weights, -embeddings.mean(axis=0) @ weights + generator.normal(size=classes))
    logits = head.logits(embeddings)
    content = put_head(classifier, head, logits.min(), logits.max())
    whole = score(content, images)
    assert whole.shape == (len(images), classes)
    # With the weights as int8 has them, and its range of logits, what is left is one step of a
    # logit and two of a byte; softmax moves by no more than half of what its furthest logit does.
    step = np.abs(weights).max(axis=0) / 127
    low, high = min(logits.min(), 0.0), max(logits.max(), 0.0)
    rounded = np.clip(embeddings @ (np.rint(weights / step) * step) + head.bias, low, high)
    powers = np.exp(rounded)
    expected = powers / powers.sum(axis=1, keepdims=True)
    assert np.abs(whole - expected).max() < (high - low) / 255 / 2 + 2 / 256
    assert head.scores(embeddings).std(axis=0).max() > 0.02, "the heads differ between images"
    assert np.array_equal(whole, head_scores(content, embeddings)), "bit for bit"
    again = put_head(content, head, logits.min(), logits.max())
    assert np.array_equal(score(again, images), whole)
    assert len(head_alone(content)) < 20_000


def test_head_of_another_length_is_refused(classifier: bytes) -> None:
    with pytest.raises(QuantizationError, match="takes 192 features"):
        put_head(classifier, DenseHead(np.zeros((100, 4)), np.zeros(4)), -1.0, 1.0)
    with pytest.raises(QuantizationError, match="ends in a dense layer"):
        head_alone(head_alone(classifier)[:0] or _without_quantization(classifier))


def _without_quantization(content: bytes) -> bytes:
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    model.subgraphs[0].operators = model.subgraphs[0].operators[:-1]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _material(n: int = 150) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embeddings of three classes, of which columns 4, 9 and 17 of 40 tell; column 2 is 1."""
    generator = np.random.default_rng(3)
    targets = (np.arange(n) % 3).astype(np.int64)
    values = generator.normal(size=(n, 40))
    for target, column in enumerate((4, 9, 17)):
        values[targets == target, column] += 3.0
    values *= generator.uniform(0.1, 5.0, 40)
    values[:, 2] = 1.0
    return values.astype(np.float32), targets


def test_selection_and_head_fold_into_one_layer() -> None:
    embeddings, targets = _material()
    selection = select_features(embeddings, targets, 3)
    assert set(selection.columns) == {4, 9, 17}
    head = fit_head(selection, embeddings, targets, 0.1)
    assert set(np.flatnonzero((head.weights != 0).any(axis=1))) == {4, 9, 17}
    assert (head.scores(embeddings).argmax(axis=1) == targets).mean() > 0.9
    # All but the constant column can be asked for.
    everything = select_features(embeddings, targets, 40)
    assert set(everything.columns) == set(range(40)) - {2}
    colder = head.divided(2.0)
    assert np.allclose(colder.logits(embeddings), head.logits(embeddings) / 2)
    two = targets < 2
    binary = fit_head(
        select_features(embeddings[two], targets[two], 5), embeddings[two], targets[two], 0.1
    )
    assert binary.weights.shape == (40, 2)
    assert (binary.scores(embeddings[two]).argmax(axis=1) == targets[two]).mean() > 0.9


def test_nothing_to_select_is_told() -> None:
    embeddings, targets = _material()
    with pytest.raises(TrainingError, match=r"one feature or more.*of 0 that differ"):
        select_features(np.ones_like(embeddings), targets, 3)
    with pytest.raises(TrainingError, match="0 asked for"):
        select_features(embeddings, targets, 0)


def test_strengths_are_ranked_by_folds_that_keep_groups_whole() -> None:
    embeddings, targets = _material()
    ranked = rank_strengths(embeddings, targets, np.arange(150), 10, 0)
    accuracies = [accuracy for _, accuracy in ranked]
    assert accuracies == sorted(accuracies, reverse=True)
    assert 0.8 < accuracies[0] <= 1.0
    few = rank_strengths(embeddings, targets, targets, 10, 0)
    assert {strength for strength, _ in few} == {strength for strength, _ in ranked}
    with pytest.raises(TrainingError, match="3 images or more"):
        rank_strengths(embeddings[:4], targets[:4], np.arange(4), 10, 0)
    together = 100 * targets + np.arange(150) // 6
    for fitted_on, scored in fitting._folds(targets, together, 0):
        assert set(together[fitted_on]).isdisjoint(together[scored])
        assert set(targets[fitted_on]) == {0, 1, 2}
