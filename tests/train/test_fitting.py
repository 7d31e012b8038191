"""What a network sees while it is fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from train.checkpoint import Checkpoint
from train.fitting import FitData, fit, predict
from train.recipes import find_recipe


def test_pieces_are_for_training_and_whole_images_for_all_else(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    images = np.zeros((32, 32, 32, 3), np.uint8)
    targets = np.arange(32) % 2
    images[targets == 1, :16, :16] = 255
    recipe = replace(find_recipe("custom-cnn"), piece=16, augmentation=())
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3)(inputs))
    network = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
    before = [weight.copy() for weight in network.get_weights()]

    data = FitData(images, targets, images[:9], targets[:9])
    state = fit(network, data, recipe, epochs=2, seed=0, checkpoint=Checkpoint(tmp_path / "kept"))

    scores = predict(network, images[:9])
    loss = -np.log(scores[np.arange(9), targets[:9]]).mean()
    assert state.history[-1].validation_loss == pytest.approx(loss, rel=1e-4)
    for was, now in zip(before, network.get_weights(), strict=True):
        assert np.abs(was - now).max() > 0
    assert network.input_shape == (None, 32, 32, 3)
