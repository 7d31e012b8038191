"""Random places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class RandomPiece(keras.layers.Layer):
    """See a piece of each image while training, and the whole of it otherwise.

    For networks that end in a mean over all places: pieces have the scale of the whole, cost a
    network less, and show it fewer cells at a time. One batch is cut at one place. The pieces go
    through further changes here, since an image that was cut first is less to change.

    Input: float images, shape (batch, height, width, channels). Output: while training, shape
    (batch, side, side, channels); else the input.

    Args:
        side: height and width of a piece in pixels, at most those of the images.
        seed: of the places.
        changes: layers that the pieces then go through, each from images to as large images.
    """

    def __init__(self, side: int, *, seed: int, changes: Sequence[keras.layers.Layer] = ()) -> None:
        super().__init__(dtype="float32")
        self.side = side
        self.changes = list(changes)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the changes' variables."""
        for change in self.changes:
            change.build((input_shape[0], self.side, self.side, input_shape[3]))
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        """Return a changed piece of each image, or all of it."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        count, height, width, channels = ops.shape(images)
        room = ops.convert_to_tensor([height - self.side + 1, width - self.side + 1])
        place = keras.random.uniform((2,), seed=self.seed_generator) * ops.cast(room, "float32")
        corner = ops.cast(ops.floor(place), "int32")
        size = (count, self.side, self.side, channels)
        pieces = ops.slice(images, (0, corner[0], corner[1], 0), size)
        pieces = ops.reshape(pieces, (-1, self.side, self.side, channels))
        for change in self.changes:
            pieces = change(pieces, training=True)
        return pieces

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of what may be a piece or all of it."""
        return (input_shape[0], None, None, input_shape[3])

    def compute_output_spec(self, images: Any, training: bool = False) -> Any:
        """Return what `call` gives, without a side."""
        return keras.KerasTensor(self.compute_output_shape(images.shape), dtype=self.compute_dtype)
