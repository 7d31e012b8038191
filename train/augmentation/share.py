"""Changes that only some images of each batch go through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class RandomShare(keras.layers.Layer):
    """Give the images of a batch by turns to one change after another, while training.

    A batch is drawn at random, so that the images of each change are drawn at random as well; no
    image meets two of them, and those whose turn has no change cost nothing.

    Input: float images, shape (batch, height, width, 3), RGB, values 0..255.
    Output: float32 images of the same shape and range.

    Args:
        changes: layers from such images to such images; None leaves an image as it is.
    """

    def __init__(self, changes: Sequence[keras.layers.Layer | None]) -> None:
        super().__init__(dtype="float32")
        self.turns = len(changes)
        self.places = [place for place, change in enumerate(changes) if change is not None]
        self.changes = [change for change in changes if change is not None]

    def build(self, input_shape: Any) -> None:
        """Make the changes' variables."""
        for change in self.changes:
            change.build(input_shape)
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the batch with its shares changed while training."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        # Whole rounds of turns, and a remainder that stays as it is.
        size = tuple(images.shape[1:])
        whole = ops.shape(images)[0] // self.turns * self.turns
        rounds = ops.reshape(images[:whole], (-1, self.turns, *size))
        parts = [rounds[:, place] for place in range(self.turns)]
        for place, change in zip(self.places, self.changes, strict=True):
            parts[place] = change(parts[place])
        mixed = ops.reshape(ops.stack(parts, axis=1), (-1, *size))
        return ops.concatenate([mixed, images[whole:]], axis=0)
