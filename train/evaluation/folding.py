"""A temperature made part of a network."""

from __future__ import annotations

import math

import keras

from edge.errors import TrainingError

#: Name of the dense layer that gives the class probabilities.
SCORES_LAYER = "scores"


def fold_temperature(network: keras.Model, temperature: float) -> None:
    """Divide a network's logits by a temperature, in the weights of its last dense layer.

    Every runtime then gives calibrated probabilities in one invocation, int8 included. Folding a
    second temperature multiplies it with the first.

    Args:
        network: ends in a dense layer named "scores" with softmax, or without an activation and
            followed by one; the layer may lie in a submodel. Changed in place.
        temperature: what `train.evaluation.temperature.fit_temperature` returns; above 0.

    Raises:
        TrainingError: the network has no such layer, or the temperature is no number above 0.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise TrainingError(
            "A temperature is a number above 0",
            got=temperature,
            next_step="Fit it on the validation part",
        )
    layer = find_scores_layer(network)
    layer.set_weights([weights / temperature for weights in layer.get_weights()])


def find_scores_layer(network: keras.Model) -> keras.layers.Dense:
    """Return the dense layer that gives the class probabilities, wherever it lies.

    Args:
        network: as `train.networks` builds them.

    Raises:
        TrainingError: there is not exactly one dense layer of that name, or its activation is
            neither softmax nor none.
    """
    found = [
        layer
        for layer in all_layers(network)
        if layer.name == SCORES_LAYER and isinstance(layer, keras.layers.Dense)
    ]
    activations = [keras.activations.serialize(layer.activation) for layer in found]
    if len(found) != 1 or activations[0] not in ("softmax", "linear"):
        raise TrainingError(
            f"A network has one dense layer named {SCORES_LAYER}, with softmax or no activation",
            got=f"{len(found)} of that name"
            + (f", with {', '.join(map(str, activations))}" if found else ""),
            next_step="Use a network that blastscope trained",
        )
    return found[0]


def all_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return a network's layers, those of its submodels in their place."""
    layers: list[keras.layers.Layer] = []
    for layer in network.layers:
        layers += all_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return layers
