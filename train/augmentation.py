"""Random changes that leave a field's class as it is, as Keras layers.

The layers run inside the training model, on whichever device and backend Keras uses, so that
images stay in memory as uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="blastscope")
class RandomTurn(keras.layers.Layer):
    """Mirror and turn by quarter turns: a smear has no up and no left.

    Input and output: float or uint8 images, shape (batch, side, side, channels).
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return each image in one of its eight orientations while training."""
        if not training:
            return images
        changes: tuple[Callable[[Any], Any], ...] = (
            lambda x: ops.flip(x, axis=2),
            lambda x: ops.flip(x, axis=1),
            lambda x: ops.transpose(x, (0, 2, 1, 3)),
        )
        for change in changes:
            shape = (ops.shape(images)[0], 1, 1, 1)
            chosen = keras.random.uniform(shape, seed=self._generator) < 0.5
            images = ops.where(chosen, change(images), images)
        return images

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="blastscope")
class RandomStain(keras.layers.Layer):
    """Change how strongly each colour is absorbed, as another stain or lamp would.

    By the Beer-Lambert law a stain's amount is proportional to the optical density
    -log(I / I0). Each channel's density is multiplied by a factor in [1 - strength, 1 + strength]
    and shifted by up to `shift`: the per-channel form of the stain jitter of Tellez et al.,
    "Quantifying the effects of data augmentation and stain color normalization in convolutional
    neural networks for computational pathology", Medical Image Analysis 58 (2019).

    Input: float or uint8 images, shape (batch, height, width, 3), values 0..255.
    Output: float images of the same shape and range.
    """

    def __init__(
        self, strength: float = 0.3, shift: float = 0.1, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.strength = strength
        self.shift = shift
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images with other stain strengths while training."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        shape = (ops.shape(images)[0], 1, 1, 3)
        factor = keras.random.uniform(
            shape, 1 - self.strength, 1 + self.strength, seed=self._generator
        )
        offset = keras.random.uniform(shape, -self.shift, self.shift, seed=self._generator)
        density = -ops.log((images + 1.0) / 256.0)
        return ops.clip(256.0 * ops.exp(-(density * factor + offset)) - 1.0, 0.0, 255.0)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {
            **super().get_config(),
            "strength": self.strength,
            "shift": self.shift,
            "seed": self.seed,
        }
