"""Quantization-aware fine-tuning: weights that learn to bear the rounding."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from quantize.recovery.fake_quantization import fake_quantize
from train.fitting import normalize, predict

EPOCHS = 3
_LEARNING_RATE = 1e-4
_BATCH = 32


def fine_tune(
    network: keras.Model,
    calibration: NDArray[np.uint8],
    images: NDArray[np.uint8],
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
) -> keras.Model:
    """Return a copy of a network whose weights bear being rounded.

    The copy learns to say what the float network says of the training images, not what their
    labels are: it is to be the same classifier. Batch normalization keeps its statistics.

    Args:
        network: as `train.networks` builds them; it stays as it is.
        calibration: the calibration set; RGB, uint8, shape (n, side, side, 3).
        images: of the training part; RGB, uint8, shape (m, side, side, 3).
        epochs: passes over them.
        seed: of their order.
    """
    targets = predict(network, images)
    tuned = keras.models.clone_model(network)
    tuned.set_weights(network.get_weights())
    rounding = fake_quantize(tuned, calibration)
    steps = epochs * -(-len(images) // _BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    rounding.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "kl_divergence")
    generator = np.random.default_rng(seed)
    for _ in range(epochs):
        order = generator.permutation(len(images))
        for start in range(0, len(images), _BATCH):
            chosen = order[start : start + _BATCH]
            rounding.train_on_batch(normalize(images[chosen]), targets[chosen])
    return tuned
