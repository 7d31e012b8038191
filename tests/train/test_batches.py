"""The order of training images."""

from __future__ import annotations

import keras
import numpy as np

from train.batches import Batches

TARGETS = np.arange(70, dtype=np.int64) % 4


def epoch_of(batches: Batches) -> list[int]:
    return [int(one) for index in range(len(batches)) for one in batches[index][0]]


def test_each_epoch_has_every_image_once_in_an_order_of_its_own() -> None:
    batches = Batches(TARGETS, 32, seed=0)
    assert [len(batches[index][0]) for index in range(len(batches))] == [32, 32, 6]
    first = epoch_of(batches)
    batches.on_epoch_end()
    second = epoch_of(batches)
    assert sorted(first) == sorted(second) == list(range(70))
    assert first != second
    assert first != epoch_of(Batches(TARGETS, 32, seed=1))
    assert second == epoch_of(Batches(TARGETS, 32, seed=0, epoch=1)), "as a resumed run needs it"


def test_classes_belong_to_the_positions() -> None:
    for positions, targets in (Batches(TARGETS, 32, seed=0)[index] for index in range(3)):
        assert np.array_equal(TARGETS[positions], targets)


def test_a_seeded_fitting_sees_another_order_in_every_epoch() -> None:
    """Keras's own shuffling does not: see `Batches`."""
    keras.utils.set_random_seed(0)
    seen: list[list[int]] = []

    class Watched(Batches):
        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            positions, targets = super().__getitem__(index)
            if index == 0:
                seen.append(positions.tolist())
            return positions[:, None].astype(np.float32), targets

    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4)])
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(Watched(TARGETS, 16, seed=0), epochs=3, verbose=0)
    assert len({tuple(one) for one in seen[:3]}) == 3
