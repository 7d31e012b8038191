"""Random defocus, sensor noise and JPEG compression."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

#: Annex K of ITU-T T.81 (JPEG): quantization of luminance and of chrominance at quality 50.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_CHROMINANCE = np.full((8, 8), 99, np.float32)
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
_TABLES = np.stack([_LUMINANCE, _CHROMINANCE, _CHROMINANCE], axis=-1)

#: RGB to Y, Cb, Cr for row vectors; ITU-T T.871 (JFIF).
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
).T
_FROM_YCC = np.linalg.inv(_TO_YCC).astype(np.float32)


def _cosines() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the orthonormal 8-point DCT-II matrix: rows are frequencies."""
    place = (2 * np.arange(8) + 1) * np.pi / 16
    matrix = np.cos(np.arange(8)[:, None] * place[None]) * np.sqrt(2 / 8)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


class RandomDefocus(keras.layers.Layer):
    """Blur by a Gaussian of random width, as a lens that is out of focus does.

    Args:
        sigma: largest standard deviation in pixels.
        seed: of the random choice.
    """

    def __init__(self, sigma: float = 1.5, seed: int = 0) -> None:
        super().__init__(dtype="float32")
        self.generator = keras.random.SeedGenerator(seed)
        self.sigma = sigma

    def call(self, images: Any) -> Any:
        """Return the images blurred."""
        n = ops.shape(images)[0]
        radius = max(1, round(2 * self.sigma))
        sigma = keras.random.uniform((n, 1), 0.3, self.sigma, seed=self.generator)
        offsets = np.arange(-radius, radius + 1, dtype=np.float32)[None]
        weights = ops.exp(-0.5 * (offsets / sigma) ** 2)
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        for axis in (1, 2):
            length = images.shape[axis]
            # By index and not by ops.pad, which takes no empty batch: a last one may have no share.
            places = np.abs(np.arange(-radius, length + radius))
            places = length - 1 - np.abs(length - 1 - places)
            padded = ops.take(images, places, axis=axis)
            total = ops.zeros_like(images)
            for index in range(2 * radius + 1):
                part = slice(index, index + length)
                moved = padded[:, part] if axis == 1 else padded[:, :, part]
                total = total + moved * weights[:, index][:, None, None, None]
            images = total
        return images


class RandomNoise(keras.layers.Layer):
    """Add noise of random strength, independent in each pixel and channel.

    Args:
        deviation: largest standard deviation in grey levels.
        seed: of the random choice.
    """

    def __init__(self, deviation: float = 10.0, seed: int = 0) -> None:
        super().__init__(dtype="float32")
        self.generator = keras.random.SeedGenerator(seed)
        self.deviation = deviation

    def call(self, images: Any) -> Any:
        """Return the images with noise."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        deviation = keras.random.uniform(shape, 0.0, self.deviation, seed=self.generator)
        noise = keras.random.normal(ops.shape(images), seed=self.generator)
        return ops.clip(images + deviation * noise, 0.0, 255.0)


class RandomJpeg(keras.layers.Layer):
    """Compress and expand as JPEG does, without its halved chrominance.

    Blocks of 8 x 8 pixels are transformed (DCT), divided by the tables of ITU-T T.81, Annex K,
    scaled by quality as libjpeg does, rounded, and transformed back. Height and width are
    multiples of 8.

    Args:
        quality: lowest quality, 1 to 95; the highest is 95.
        seed: of the random choice.
    """

    def __init__(self, quality: int = 40, seed: int = 0) -> None:
        super().__init__(dtype="float32")
        self.generator = keras.random.SeedGenerator(seed)
        self.quality = quality

    def call(self, images: Any) -> Any:
        """Return the images as JPEG leaves them."""
        n = ops.shape(images)[0]
        height, width = images.shape[1:3]
        quality = keras.random.uniform((n, 1, 1, 1), self.quality, 95.0, seed=self.generator)
        scale = ops.where(quality < 50.0, 50.0 / quality, 2.0 - quality / 50.0)
        tables = ops.maximum(ops.round(scale * _TABLES), 1.0)[:, None, None]
        cosines = _cosines()
        blocks = ops.reshape(
            ops.matmul(images - 128.0, _TO_YCC), (n, height // 8, 8, width // 8, 8, 3)
        )
        blocks = ops.transpose(blocks, (0, 1, 3, 2, 4, 5))
        coefficients = ops.einsum("ui,nabijc,vj->nabuvc", cosines, blocks, cosines)
        coefficients = ops.round(coefficients / tables) * tables
        blocks = ops.einsum("ui,nabuvc,vj->nabijc", cosines, coefficients, cosines)
        blocks = ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, height, width, 3))
        return ops.clip(ops.round(ops.matmul(blocks, _FROM_YCC) + 128.0), 0.0, 255.0)
