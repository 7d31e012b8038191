"""Tensors made outputs in memory: the scores stay, and the embedding is the layer's own."""

from __future__ import annotations

import random

import numpy as np
import pytest

from edge.classifier import Classifier, read_embedding
from edge.errors import ModelFileError
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter
from tests.edge.small_model import EMBEDDING, SIDE, make_graph


def test_embedding_comes_beside_unchanged_scores() -> None:
    graph = make_graph()
    plain = Interpreter(graph, "plain", 1)
    both = Interpreter(with_outputs(graph, [EMBEDDING]), "both", 1, outputs=2)
    generator = np.random.default_rng(0)
    for _ in range(5):
        image = generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        for interpreter in (plain, both):
            interpreter.input_view()[...] = image
            interpreter.invoke()
        np.testing.assert_array_equal(plain.output_view(), both.output_view())
        colour = (image.astype(np.float64).mean(axis=(0, 1)) - 128) / 128
        np.testing.assert_allclose(read_embedding(both), colour, atol=1 / 128)


def test_graph_itself_stays_as_it_is() -> None:
    graph = make_graph()
    before = bytes(graph)
    changed = with_outputs(memoryview(graph), [EMBEDDING])
    assert graph == before
    assert len(changed) > len(graph)
    assert len(Interpreter(graph, "still one", 1).outputs) == 1


@pytest.mark.parametrize("tensor", [-1, 9, 10**6])
def test_tensor_that_is_not_there_is_refused(tensor: int) -> None:
    with pytest.raises(ModelFileError, match="number below 9"):
        with_outputs(make_graph(), [tensor])


def test_model_with_more_outputs_than_asked_is_refused() -> None:
    with pytest.raises(ModelFileError, match="one input and one output"):
        Interpreter(with_outputs(make_graph(), [EMBEDDING]), "two", 1)


def test_bytes_that_are_no_graph_are_refused_or_followed_within_bounds() -> None:
    graph, draw = make_graph(), random.Random(0)
    refused = 0
    for _ in range(2000):
        damaged = bytearray(graph[: draw.randrange(8, len(graph))])
        for _ in range(8):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        try:
            with_outputs(bytes(damaged), [0])
        except ModelFileError:
            refused += 1
    assert refused > 200


def test_shipped_form_classifies_as_its_plain_graph(tiny_model: object) -> None:
    with Classifier.load(str(tiny_model)) as classifier:
        model = classifier.model
        plain = Interpreter(model.content[: model.graph_bytes], "plain", 1)
        image = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
        scores = classifier.classify(image).scores
        plain.input_view()[...] = image
        plain.invoke()
        stored = plain.output_view().tolist()
    assert [round(score / plain.output.scale) for score in scores.values()] == stored
