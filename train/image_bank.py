"""Images that live on the device."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray


class ImageBank(keras.layers.Layer):
    """Hold images as bytes on the device, and give those of a batch by their positions.

    They cross to the device once and not in every epoch; a step then waits for a few numbers alone.

    Args:
        images: uint8, shape (n, height, width, channels).

    Input: positions; int32, shape (batch,). Output: uint8, shape (batch, height, width, channels).
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        super().__init__(dtype="uint8", trainable=False)
        self._images = self.add_weight(
            shape=images.shape, dtype="uint8", initializer="zeros", trainable=False
        )
        self._images.assign(images)

    def __len__(self) -> int:
        return int(self._images.shape[0])

    def call(self, positions: Any) -> Any:
        """Return the images at some positions."""
        return ops.take(self._images, positions, axis=0)
