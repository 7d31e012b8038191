"""The order of training images."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from train.batches import Batches

TARGETS = np.arange(70, dtype=np.int64) % 4


def epoch_of(batches: Batches, epoch: int = 0) -> list[int]:
    first = epoch * batches.steps
    return [int(one) for step in range(batches.steps) for one in batches[first + step][0]]


def test_each_epoch_has_every_image_once_in_an_order_of_its_own() -> None:
    batches = Batches(TARGETS, 32, seed=0)
    assert [len(batches[index][0]) for index in range(4)] == [32, 32, 6, 32]
    first, second = epoch_of(batches), epoch_of(batches, 1)
    assert sorted(first) == sorted(second) == list(range(70))
    assert first != second
    assert first != epoch_of(Batches(TARGETS, 32, seed=1))
    assert second == epoch_of(Batches(TARGETS, 32, seed=0, epoch=1)), "as a resumed run needs it"


def test_classes_belong_to_the_positions() -> None:
    for positions, targets in (Batches(TARGETS, 32, seed=0)[index] for index in range(7)):
        assert np.array_equal(TARGETS[positions], targets)


def test_a_seeded_fitting_sees_another_order_in_every_epoch() -> None:
    """Keras's own shuffling does not: see `Batches`."""
    keras.utils.set_random_seed(0)
    seen: list[list[int]] = []

    class Watcher(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
        def call(self, positions: Any) -> Any:
            seen.append(keras.ops.convert_to_numpy(positions).ravel().tolist())
            return keras.ops.cast(positions, "float32")[:, None]

    network = keras.Sequential([keras.Input((), dtype="int32"), Watcher(), keras.layers.Dense(4)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("sgd", loss, run_eagerly=True)
    batches = Batches(TARGETS, 16, seed=0)
    network.fit(batches, epochs=3, steps_per_epoch=batches.steps, shuffle=False, verbose=0)

    trained = [int(one) for batch in seen[-3 * batches.steps :] for one in batch]
    assert trained == [one for epoch in range(3) for one in epoch_of(batches, epoch)]
