"""When a model is not to answer: the limits hold what they promise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from scipy.stats import beta
from sklearn.base import BaseEstimator, ClassifierMixin

from edge.classifier import Classifier
from edge.decision import UNLIKE_TRAINING
from edge.errors import QuantizationError
from edge.image_file import read_image
from quantize.abstention import conformal_limit, find_embedding, fit_domain
from tests.edge.small_model import EMBEDDING, make_graph


@pytest.mark.parametrize("error_rate", [0.01, 0.05, 0.2])
def test_coverage_over_resplits_is_what_theory_says(error_rate: float) -> None:
    """Coverage of a split is Beta(n + 1 - k, k) distributed: Vovk, "Conditional Validity"."""
    generator = np.random.default_rng(0)
    # Probabilities of the true class, as a good network gives them: most near 1, some far off.
    everything = generator.beta(8.0, 0.2, 20_000)
    n, splits = 400, 200
    covered = []
    for _ in range(splits):
        order = generator.permutation(len(everything))
        limit = conformal_limit(everything[order[:n]], error_rate)
        covered.append((everything[order[n:]] >= limit).mean())
    k = math.floor(error_rate * (n + 1))
    theory = beta(n + 1 - k, k)
    assert np.mean(covered) == pytest.approx(1 - error_rate, abs=0.01)
    assert np.mean(covered) == pytest.approx(theory.mean(), abs=4 * theory.std() / splits**0.5)
    assert np.std(covered) == pytest.approx(theory.std(), rel=0.25)


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are its probabilities already."""

    classes_ = np.arange(4)

    def fit(self, inputs: np.ndarray, targets: np.ndarray) -> Given:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        return inputs

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        return inputs.argmax(axis=1)


@pytest.mark.parametrize(("n", "error_rate"), [(256, 0.01), (200, 0.1), (999, 0.05)])
def test_conformal_sets_are_those_of_mapie(n: int, error_rate: float) -> None:
    generator = np.random.default_rng(n)
    logits = generator.normal(0, 1, (n + 500, 4))
    targets = generator.integers(0, 4, n + 500)
    logits[np.arange(n + 500), targets] += 2.5
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mapie = SplitConformalClassifier(
        Given(), confidence_level=1 - error_rate, prefit=True, conformity_score="lac"
    )
    mapie.conformalize(shares[:n], targets[:n])
    theirs = mapie.predict_set(shares[n:])[1][:, :, 0]
    limit = conformal_limit(shares[np.arange(n), targets[:n]], error_rate)
    np.testing.assert_array_equal(shares[n:] >= limit, theirs)
    assert 0 < theirs.sum() < theirs.size


def test_few_values_give_the_furthest() -> None:
    values = np.array([0.9, 0.2, 0.7])
    assert conformal_limit(values, 0.01) == 0.2
    assert conformal_limit(values, 0.01, upper=True) == 0.9
    assert conformal_limit(values, 0.5) == 0.7


def test_domain_of_gaussians_has_their_distances() -> None:
    generator = np.random.default_rng(0)
    centres = np.array([[0, 0, 0, 0, 0, 0], [6, 0, 0, 0, 0, 0], [0, 9, 0, 0, 0, 0]], np.float32)
    targets = np.repeat([0, 1, 2], 2000)
    scale = np.array([1.0, 0.5, 2.0, 0.3, 0.1, 0.1])
    embeddings = (centres[targets] + generator.normal(size=(6000, 6)) * scale).astype(np.float32)
    domain = fit_domain(embeddings, targets, 3, 3)
    inside = np.array([domain.distance(one) for one in embeddings])
    # A direction's squared distance has mean 1 or less (the nearest class), and so has the rest.
    assert 1.6 < inside.mean() < 2.05
    assert domain.distance(centres[1]) < 0.2
    far = centres[1] + np.array([0, 0, 20, 0, 0, 0], np.float32)
    outside = centres[1] + np.array([0, 0, 0, 0, 5, 0], np.float32)
    for one in (far, outside):
        assert domain.distance(one) > np.quantile(inside, 0.999)


def test_embeddings_without_variance_do_not_divide_by_nothing() -> None:
    generator = np.random.default_rng(0)
    embeddings = np.zeros((40, 8), np.float32)
    embeddings[:, 0] = generator.normal(size=40)
    domain = fit_domain(embeddings, np.arange(40) % 2, 2, 16)
    assert len(domain.axes) == 1
    assert np.isfinite(domain.distance(np.ones(8, np.float32)))


def test_embedding_is_what_the_dense_layer_takes() -> None:
    assert find_embedding(make_graph()) == EMBEDDING


def test_network_without_a_dense_layer_is_refused() -> None:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(make_graph()))
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
            code.builtinCode = schema.BuiltinOperator.CONV_2D
    with pytest.raises(QuantizationError, match="ends in a dense layer"):
        find_embedding(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))


def test_quantized_model_carries_its_limits_and_keeps_to_them(
    tiny_model: Path, smears: Path
) -> None:
    with Classifier.load(tiny_model) as classifier:
        answer = classifier.model.card["answer"]
        assert answer["conformal"]["n"] == answer["domain"]["n"] == 8
        own = [classifier.classify(read_image(path)) for path in sorted(smears.rglob("*.png"))]
        noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
        strange = classifier.classify(noise)
        assert answer["quality"]["provenance"]["n"] == 68
    unlike = [UNLIKE_TRAINING in one.reasons for one in own]
    assert sum(unlike) < 0.25 * len(own)
    assert sum(one.decision == "repeat" for one in own) < 0.25 * len(own)
    assert strange.decision == "repeat"
    assert strange.instructions
    for one in own:
        if one.decision == "repeat":
            continue
        likely = sum(
            score >= answer["conformal"]["least_probability"] for score in one.scores.values()
        )
        assert (one.decision == "result") == (likely == 1 and UNLIKE_TRAINING not in one.reasons)
