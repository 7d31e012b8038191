"""Degradations in the camera: noise, compression and white balance."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from train.robustness.light import from_light, to_bytes, to_light

#: Standard deviation of the read noise in electrons.
READ_NOISE = 3.0


def sensor_noise(
    image: NDArray[np.uint8], noise: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Count photo-electrons (Poisson) and read them out (Gaussian), pixel by pixel.

    Shot noise of `noise` percent at white means (100 / noise)**2 electrons there: 10 % is 100
    electrons. The read noise of 3 electrons comes on top.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        noise: standard deviation of the shot noise at white in percent of white, above 0.
        generator: draws the noise.
    """
    white = (100.0 / noise) ** 2
    electrons = generator.poisson(to_light(image) * white)
    read = electrons + generator.normal(0.0, READ_NOISE, image.shape)
    return from_light((read / white).astype(np.float32))


def jpeg(
    image: NDArray[np.uint8], quality: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Compress and decompress with libjpeg, chroma at half resolution.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        quality: of libjpeg, 1 to 100.
        generator: not used.
    """
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, round(quality)))
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def colour_cast(
    image: NDArray[np.uint8], strength: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Balance white wrongly, towards a random hue.

    The channels' gains are 1 + strength * cos(angle), with angles 120 degrees apart: their mean
    stays 1.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        strength: largest deviation of a gain from 1.
        generator: draws the hue.
    """
    angles = generator.uniform(0.0, 2.0 * math.pi) + np.array([0.0, 1.0, 2.0]) * 2.0 * math.pi / 3.0
    return to_bytes(image * (1.0 + strength * np.cos(angles)))
