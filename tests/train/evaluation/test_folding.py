"""Temperatures folded into networks."""

from __future__ import annotations

from train.keras_loading import load_keras

load_keras()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from edge.errors import TrainingError  # noqa: E402
from train.evaluation.folding import fold_temperature  # noqa: E402
from train.evaluation.temperature import apply_temperature  # noqa: E402


def plain_network(activation: str = "softmax", name: str = "scores") -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(4, activation=activation, name=name)(x)
    if activation == "linear":
        outputs = keras.layers.Softmax()(outputs)
    return keras.Model(inputs, outputs)


def nested_network() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    features = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(4, activation="softmax", name="scores")
    head = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.3), dense], name="head")
    return keras.Model(inputs, head(features))


@pytest.mark.parametrize("network", [plain_network(), plain_network("linear"), nested_network()])
@pytest.mark.parametrize("temperature", [0.6, 1.8])
def test_scores_become_those_of_the_temperature(network: keras.Model, temperature: float) -> None:
    layer = next(one for one in network._flatten_layers() if one.name == "scores")
    generator = np.random.default_rng(3)
    layer.set_weights([generator.normal(0, 3, w.shape) for w in layer.get_weights()])
    images = generator.normal(0, 1, (20, 8, 8, 3)).astype(np.float32)
    before = network.predict(images, verbose=0)
    fold_temperature(network, temperature)
    after = network.predict(images, verbose=0)
    np.testing.assert_allclose(after, apply_temperature(before, temperature), atol=2e-6)
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()
    assert abs(after - before).max() > 0.02


def test_other_networks_and_numbers_are_refused() -> None:
    with pytest.raises(TrainingError, match="Got: 0 of that name"):
        fold_temperature(plain_network(name="else"), 1.5)
    with pytest.raises(TrainingError, match="with sigmoid"):
        fold_temperature(plain_network("sigmoid"), 1.5)
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(TrainingError, match="number above 0"):
            fold_temperature(plain_network(), temperature)
