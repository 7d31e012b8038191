"""Mixed precision: bfloat16 inside, float32 weights, and a network that is float32 afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from train.checkpoint import Checkpoint
from train.fitting import FitData, fit, predict
from train.networks.custom_cnn import custom_cnn
from train.precision import best_precision, compute_with
from train.recipes import RECIPES


def test_mixed_networks_train_and_their_weights_fit_a_float32_one(tmp_path: Path) -> None:
    recipe = replace(RECIPES["custom-cnn"], side=64, piece=48)
    with compute_with("mixed"):
        network = custom_cnn(recipe.side, 4)
    assert keras.config.dtype_policy().name == "float32"
    convolution = next(one for one in network.layers if isinstance(one, keras.layers.Conv2D))
    assert convolution.compute_dtype == "bfloat16"
    assert convolution.kernel.dtype == "float32"
    images = np.random.default_rng(0).integers(0, 256, (8, recipe.side, recipe.side, 3), np.uint8)
    targets = np.arange(8) % 4
    data = FitData(images, targets, images, targets)
    state = fit(network, data, recipe, epochs=1, seed=0, checkpoint=Checkpoint(tmp_path))
    assert np.isfinite(state.history[0].loss)
    plain = custom_cnn(recipe.side, 4)
    plain.set_weights(network.get_weights())
    assert np.abs(predict(plain, images) - predict(network, images)).max() < 0.05


def test_precision_follows_the_device() -> None:
    has_gpu = bool(keras.distribution.list_devices("gpu"))
    assert best_precision() == ("mixed" if has_gpu else "float32")
