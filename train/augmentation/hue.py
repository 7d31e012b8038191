"""Random hue, saturation and lightness in CIELAB."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

#: Linear RGB (sRGB primaries, D65) to XYZ over the white point, for row vectors; IEC 61966-2-1.
_TO_XYZ = (
    np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    / np.array([[0.95047], [1.0], [1.08883]])
).T.astype(np.float32)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)

#: Roots of X, Y and Z to L*, a* and b*, for row vectors; L* without its offset of -16.
_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32).T
_FROM_LAB = np.linalg.inv(_TO_LAB).astype(np.float32)

_GAMMA = 2.2


class RandomHue(keras.layers.Layer):
    """Turn the colours around the grey axis of CIELAB, and change how strong and light they are.

    sRGB's curve is taken as a power of 2.2 and the cube root of CIELAB without its linear toe:
    what is drawn is far larger than the difference.

    Args:
        degrees: the a*-b* plane turns by up to so much.
        saturation: a* and b* are multiplied by 1 +- saturation.
        lightness: L* is multiplied by 1 +- lightness.
        seed: of the random choice.
    """

    def __init__(
        self,
        degrees: float = 20.0,
        saturation: float = 0.3,
        lightness: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(dtype="float32")
        self.generator = keras.random.SeedGenerator(seed)
        self.degrees = degrees
        self.saturation = saturation
        self.lightness = lightness

    def call(self, images: Any) -> Any:
        """Return the images in other colours."""
        n = ops.shape(images)[0]
        angle = math.radians(self.degrees) * self._draw(n)
        scale = 1.0 + self.saturation * self._draw(n)
        light = 1.0 + self.lightness * self._draw(n)
        cosine, sine, none = scale * ops.cos(angle), scale * ops.sin(angle), ops.zeros_like(scale)
        turn = ops.stack(
            [
                ops.stack([light, none, none], axis=-1),
                ops.stack([none, cosine, sine], axis=-1),
                ops.stack([none, -sine, cosine], axis=-1),
            ],
            axis=1,
        )
        roots_map = ops.matmul(ops.matmul(_TO_LAB, turn), _FROM_LAB)
        # No -1: a batch may have no image for this layer.
        flat = ops.reshape(images, (n, images.shape[1] * images.shape[2], 3))
        linear = ops.exp(_GAMMA * ops.log((flat + 1.0) / 256.0))
        roots = ops.exp(ops.log(ops.matmul(linear, _TO_XYZ)) / 3.0)
        roots = ops.matmul(roots, roots_map)
        linear = ops.maximum(ops.matmul(roots**3, _FROM_XYZ), 1e-6)
        changed = 256.0 * ops.exp(ops.log(linear) / _GAMMA) - 1.0
        return ops.reshape(ops.clip(changed, 0.0, 255.0), ops.shape(images))

    def _draw(self, n: Any) -> Any:
        return keras.random.uniform((n,), -1.0, 1.0, seed=self.generator)
