"""A network by its recipe."""

from __future__ import annotations

from collections.abc import Callable

import keras

from train.networks.cell import cell
from train.networks.custom_cnn import custom_cnn
from train.networks.custom_cnn_paper import custom_cnn_paper
from train.networks.fast import fast
from train.networks.mobilenet_v2 import mobilenet_v2
from train.recipes import Recipe

#: What builds each network that has no backbone, from its input's side and its number of classes.
FROM_SCRATCH: dict[str, Callable[[int, int], keras.Model]] = {
    "custom-cnn": custom_cnn,
    "custom-cnn-paper": custom_cnn_paper,
    "fast": fast,
    "cell": cell,
}


def build_network(recipe: Recipe, classes: int, weights: str | None) -> keras.Model:
    """Build a network by its recipe.

    Args:
        recipe: one of `train.recipes.RECIPES`.
        classes: how many classes there are.
        weights: of the backbone, if it has one.

    Raises:
        TrainingError: the weights cannot be had, or belong to another network.
    """
    if recipe.network in FROM_SCRATCH:
        return FROM_SCRATCH[recipe.network](recipe.side, classes)
    return mobilenet_v2(recipe.side, classes, weights or "none")
