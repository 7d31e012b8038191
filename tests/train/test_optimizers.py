"""The steps that gradients are turned into."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from train.optimizers import MuonOfConvolutions, build_optimizer
from train.recipes import find_recipe

RECIPE = replace(find_recipe("custom-cnn"), weight_decay=0.0)


def first_step(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return what the first step at the highest rate takes off a weight, over that rate."""
    rng = np.random.default_rng(0)
    weight = keras.Variable(rng.normal(size=shape).astype(np.float32))
    before = keras.ops.convert_to_numpy(weight)
    gradient = keras.ops.convert_to_tensor(rng.normal(size=shape).astype(np.float32))
    optimizer = build_optimizer(RECIPE, steps=1)
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    optimizer.apply([gradient], [weight])
    taken: NDArray[np.float32] = (before - keras.ops.convert_to_numpy(weight)) / rate
    return taken


def test_a_convolution_takes_a_step_of_the_same_length_in_all_directions() -> None:
    step = first_step((3, 3, 16, 32)).reshape(-1, 32)

    lengths = np.linalg.svd(step, compute_uv=False) / (0.2 * np.sqrt(144))

    # Five rounds of Newton and Schulz come as near to 1 as this (Jordan et al. 2024).
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("shape", [(144, 32), (32, 144), (32, 32)])
def test_directions_are_those_of_keras_own_muon(shape: tuple[int, int], condition: float) -> None:
    lengths = np.geomspace(1, 1 / condition, 32)
    left, _, right = np.linalg.svd(np.random.default_rng(0).normal(size=shape), False)
    matrix = keras.ops.convert_to_tensor(((left * lengths) @ right).astype(np.float32))
    optimizer = MuonOfConvolutions(1e-3)

    ours = keras.ops.convert_to_numpy(optimizer.zeropower_via_newtonschulz5(matrix, 5))
    own = keras.optimizers.Muon.zeropower_via_newtonschulz5(optimizer, matrix, 5)

    # Of float32 and many products, and far below what five rounds leave of the way to 1.
    assert ours == pytest.approx(keras.ops.convert_to_numpy(own), abs=1e-3)


@pytest.mark.parametrize("shape", [(3, 3, 3, 16), (3, 3, 16, 1), (32, 4), (32,)])
def test_all_else_takes_the_steps_of_adam(shape: tuple[int, ...]) -> None:
    assert np.abs(first_step(shape)) == pytest.approx(1, rel=1e-2)


def test_the_rate_falls_to_nothing_by_the_last_step() -> None:
    optimizer = build_optimizer(RECIPE, steps=200)
    schedule = optimizer._learning_rate

    rates = [float(keras.ops.convert_to_numpy(schedule(step))) for step in (0, 10, 100, 199)]

    assert rates[1] == pytest.approx(RECIPE.learning_rate)
    assert rates[0] < rates[2] < rates[1]
    assert rates[3] < 0.01 * RECIPE.learning_rate


def test_a_network_of_imagenet_keeps_adams_steps() -> None:
    optimizer = build_optimizer(find_recipe("mobilenet-v2"), steps=10)

    assert isinstance(optimizer, keras.optimizers.AdamW)
