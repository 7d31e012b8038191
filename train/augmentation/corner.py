"""Random corner, against scale bars that go with the class."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class RandomCorner(keras.layers.Layer):
    """Take the scale bar out of the bottom right corner, or put another image's in.

    A network can then neither rely on the bar, which a camera's frames do not have, nor be misled
    by one. A third of the images stay as they are; in a third the corner becomes the mirror image
    of what lies left of it; a third get the corner of the image before them in the batch, of
    whichever class that is.

    Input and output: float or uint8 images, shape (batch, height, width, channels).

    Args:
        height: of the corner as a share of the image's height.
        width: of the corner as a share of the image's width, below one half.
        seed: of the random choice.
    """

    def __init__(self, height: float = 0.16, width: float = 0.22, seed: int = 0) -> None:
        super().__init__()
        self.height = height
        self.width = width
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images with other corners while training."""
        if not training:
            return images
        top = images.shape[1] - round(self.height * images.shape[1])
        width = round(self.width * images.shape[2])
        left = images.shape[2] - width
        corner = images[:, top:, left:]
        mirrored = ops.flip(images[:, top:, left - width : left], axis=2)
        shape = (ops.shape(images)[0], 1, 1, 1)
        choice = keras.random.uniform(shape, 0.0, 3.0, seed=self._generator)
        corner = ops.where(choice < 1.0, mirrored, corner)
        corner = ops.where(choice > 2.0, ops.roll(images[:, top:, left:], 1, axis=0), corner)
        bottom = ops.concatenate([images[:, top:, :left], corner], axis=2)
        return ops.concatenate([images[:, :top], bottom], axis=1)
