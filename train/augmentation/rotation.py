"""Random angle and size, for what lies on black."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


class RandomRotation(keras.layers.Layer):
    """Turn half of the images by any angle about their middle, a little larger or smaller.

    For single cells on black: what comes in from outside the image is black. One bilinear pass does
    both, where Keras's own RandomRotation and RandomZoom take two. It smooths an image, so that a
    network which saw only turned ones, and batch normalization with it, would find those of a
    device too sharp.

    Input: float or uint8 images, shape (batch, height, width, channels). Output: float32 images of
    the same shape and range.

    Args:
        size: the largest change of size, as a logarithm: 0.08 is 8 %.
        share: of the images that are turned; the others stay as they are.
        seed: of angles, sizes and choice.
    """

    def __init__(self, size: float = 0.08, share: float = 0.5, *, seed: int) -> None:
        super().__init__(dtype="float32")
        self.size = size
        self.share = share
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return some images turned, each its own way, while training."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        angle = keras.random.uniform((count,), 0.0, 2 * math.pi, seed=self.seed_generator)
        size = keras.random.uniform((count,), -self.size, self.size, seed=self.seed_generator)
        turned = keras.random.uniform((count,), seed=self.seed_generator) < self.share
        angle, size = ops.where(turned, angle, 0.0), ops.where(turned, size, 0.0)
        cosine, sine = ops.cos(angle) * ops.exp(size), ops.sin(angle) * ops.exp(size)
        x, y = (width - 1) / 2, (height - 1) / 2
        nothing = ops.zeros_like(cosine)
        # Rows of (x, y) of the input for each (x, y) of the output; the middle stays where it is.
        across = [cosine, -sine, x - cosine * x + sine * y]
        down = [sine, cosine, y - sine * x - cosine * y]
        transforms = ops.stack([*across, *down, nothing, nothing], axis=1)
        return ops.image.affine_transform(
            images, transforms, interpolation="bilinear", fill_mode="constant", fill_value=0.0
        )
