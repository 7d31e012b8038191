"""A network by its recipe."""

from __future__ import annotations

import keras

from train.networks.cell import cell
from train.networks.custom_cnn import custom_cnn
from train.networks.custom_cnn_paper import custom_cnn_paper
from train.networks.fast import fast
from train.networks.mobilenet_v2 import mobilenet_v2
from train.recipes import Recipe


def build_network(recipe: Recipe, classes: int, weights: str | None) -> keras.Model:
    """Build a network by its recipe.

    Args:
        recipe: one of `train.recipes.RECIPES`.
        classes: how many classes there are.
        weights: of the backbone, if it has one.

    Raises:
        TrainingError: the weights cannot be had, or belong to another network.
    """
    if recipe.network == "custom-cnn":
        return custom_cnn(recipe.side, classes)
    if recipe.network == "custom-cnn-paper":
        return custom_cnn_paper(recipe.side, classes)
    if recipe.network == "fast":
        return fast(recipe.side, classes)
    if recipe.network == "cell":
        return cell(recipe.side, classes)
    return mobilenet_v2(
        recipe.side,
        classes,
        weights or "none",
        own_statistics=recipe.own_statistics,
    )
