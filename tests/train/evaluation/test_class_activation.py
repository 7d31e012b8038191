"""Class activation maps, against closed forms and differences."""

from __future__ import annotations

from train.keras_loading import load_keras

load_keras()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from keras import layers  # noqa: E402

from edge.errors import TrainingError  # noqa: E402
from train.evaluation.class_activation import find_class_activation  # noqa: E402
from train.fitting import normalize, predict  # noqa: E402
from train.networks.custom_cnn import custom_cnn  # noqa: E402
from train.networks.custom_cnn_paper import custom_cnn_paper  # noqa: E402
from train.networks.mobilenet_v2 import mobilenet_v2  # noqa: E402


def hidden_layer_network() -> keras.Model:
    """A network with every kind of layer that may follow the last feature map."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(12, 3, strides=4, padding="same")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(16, activation="relu")(layers.Dropout(0.2)(x))
    x = layers.ReLU()(layers.Dense(14)(x))
    x = layers.ReLU(max_value=6)(layers.Dense(12, use_bias=False)(x))
    x = layers.Activation("relu")(layers.Dense(10)(x))
    outputs = layers.Activation("softmax")(layers.Dense(4, name="scores")(x))
    return keras.Model(inputs, outputs)


NETWORKS = {
    "custom-cnn": lambda: custom_cnn(64, 4),
    "custom-cnn-paper": lambda: custom_cnn_paper(32, 4),
    "mobilenet-v2": lambda: mobilenet_v2(64, 4, "none"),
    "hidden layers": hidden_layer_network,
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(0)
    made: keras.Model = NETWORKS[request.param]()
    generator = np.random.default_rng(0)
    for layer in made._flatten_layers():
        if isinstance(layer, layers.Dense):
            weights = layer.get_weights()
            spread = 3 / np.sqrt(weights[0].shape[0])
            layer.set_weights([generator.normal(0, spread, one.shape) for one in weights])
    return made


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_the_two_halves_are_the_network(network: keras.Model) -> None:
    side = network.input_shape[1]
    images = np.random.default_rng(1).integers(0, 256, (5, side, side, 3), np.uint8)
    activation = find_class_activation(network)
    features = predict(activation.features, images)
    assert features.shape[1:3] == activation.map_size
    found = softmax(activation.head.logits(features))
    np.testing.assert_allclose(found, predict(network, images), atol=2e-5)


def test_gradient_is_that_of_small_differences(network: keras.Model) -> None:
    activation = find_class_activation(network)
    generator = np.random.default_rng(2)
    shape = (3, *activation.features.output_shape[1:])
    features = generator.normal(0, 1, shape).astype(np.float32)
    classes = np.array([0, 2, 3])
    gradient = activation.head.gradient(features, classes)
    step = (generator.normal(0, 1, shape) * 1e-3).astype(np.float32)
    ahead, behind = activation.head.logits(features + step), activation.head.logits(features - step)
    change = (ahead - behind)[np.arange(3), classes] / 2
    np.testing.assert_allclose((gradient * step).sum(axis=(1, 2, 3)), change, rtol=0.02, atol=1e-6)
    assert abs(change).max() > 1e-5


def test_map_by_hand() -> None:
    """The feature map is the image itself, so a class's map is a weighted sum of its colours."""
    inputs = keras.Input((8, 8, 3))
    same = layers.Conv2D(3, 1, use_bias=False)
    dense = layers.Dense(2, activation="softmax", name="scores")
    network = keras.Model(inputs, dense(layers.GlobalAveragePooling2D()(same(inputs))))
    same.set_weights([np.eye(3).reshape(1, 1, 3, 3)])
    kernel = np.array([[2.0, -1.0], [0.0, 1.0], [-1.0, 0.0]])
    dense.set_weights([kernel, np.array([5.0, -5.0])])
    images = np.random.default_rng(3).integers(0, 256, (3, 8, 8, 3), np.uint8)
    classes = np.array([0, 1, 0])
    maps = list(find_class_activation(network).maps(images, classes))
    colours = normalize(images)
    for one, colour, target in zip(maps, colours, classes, strict=True):
        expected = np.maximum(colour @ kernel[:, target], 0) / 64
        np.testing.assert_allclose(one, expected, atol=1e-6)


def test_maps_are_enlarged_to_the_image() -> None:
    images = np.random.default_rng(4).integers(0, 256, (2, 64, 64, 3), np.uint8)
    activation = find_class_activation(custom_cnn(64, 4))
    maps = list(activation.maps(images, np.array([0, 1])))
    assert activation.map_size == (2, 2)
    assert [one.shape for one in maps] == [(64, 64), (64, 64)]
    assert all(one.dtype == np.float32 and one.min() >= 0 for one in maps)


def test_other_networks_are_refused() -> None:
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3)(inputs)

    def ending(*tail: keras.layers.Layer) -> keras.Model:
        values = x
        for layer in (*tail, layers.Dense(2, activation="softmax", name="scores")):
            values = layer(values)
        return keras.Model(inputs, values)

    with pytest.raises(TrainingError, match="GlobalAveragePooling2D or Flatten"):
        find_class_activation(ending(layers.GlobalMaxPooling2D()))
    with pytest.raises(TrainingError, match="a BatchNormalization layer"):
        find_class_activation(ending(layers.GlobalAveragePooling2D(), layers.BatchNormalization()))
    with pytest.raises(TrainingError, match="a Dense layer"):
        tanh = layers.Dense(3, activation="tanh")
        find_class_activation(ending(layers.GlobalAveragePooling2D(), tanh))
    backbone = keras.Sequential([keras.Input((14, 14, 4)), layers.GlobalAveragePooling2D()])
    with pytest.raises(TrainingError, match="a submodel with layers before it"):
        find_class_activation(ending(backbone))
