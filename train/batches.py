"""The order in which a fitting sees its images."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Positions and classes of training images without end, in another order in every epoch.

    Keras's own shuffling under TensorFlow gives the same order in every epoch once a global seed is
    set (seen with Keras 3.15 and TensorFlow 2.21). The batches are then always the same, and a
    network with batch normalization learns these batches by heart. They have no end, since Keras
    takes down what feeds TensorFlow at each end, for which it waits up to five seconds.

    Args:
        targets: class of each image; int64, shape (n,).
        batch_size: images per step; the last batch of an epoch may have fewer.
        seed: of the order.
        epoch: how many epochs there were before, so that a resumed fitting goes on in the order
            that it would have had.

    Attributes:
        steps: batches of an epoch.
    """

    #: Without end, in Keras's words.
    num_batches = None

    def __init__(
        self, targets: NDArray[np.int64], batch_size: int, seed: int, epoch: int = 0
    ) -> None:
        super().__init__()
        self.steps = math.ceil(len(targets) / batch_size)
        self._targets = targets
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return positions (int32) and classes of a batch, counted on through the epochs."""
        epochs, step = divmod(index, self.steps)
        order = np.random.default_rng((self._seed, self._epoch + epochs)).permutation(
            len(self._targets)
        )
        chosen = order[step * self._batch_size : (step + 1) * self._batch_size]
        return chosen.astype(np.int32), self._targets[chosen]
