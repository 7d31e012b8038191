"""Random orientation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

#: The eight ways to lay a square on itself: whether it is transposed, and the axes then flipped.
_ORIENTATIONS = [
    (transposed, axes) for transposed in (False, True) for axes in ((), (1,), (2,), (1, 2))
]


class RandomTurn(keras.layers.Layer):
    """Mirror and turn by quarter turns: a smear has no up and no left.

    A batch is cut into eight runs of images, each of which gets one orientation: the batch is in
    random order, so that the orientation of an image is random as well, and each is turned once.

    Input and output: float or uint8 images, shape (batch, side, side, channels).
    """

    def call(self, images: Any, training: bool = False) -> Any:
        """Return each image in one of its eight orientations while training."""
        if not training:
            return images
        count = ops.shape(images)[0]
        run = (count + len(_ORIENTATIONS) - 1) // len(_ORIENTATIONS)
        turned = []
        for index, (transposed, axes) in enumerate(_ORIENTATIONS):
            part = images[index * run : (index + 1) * run]
            if transposed:
                part = ops.transpose(part, (0, 2, 1, 3))
            turned.append(ops.flip(part, axis=axes) if axes else part)
        return ops.concatenate(turned, axis=0)
