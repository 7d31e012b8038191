"""Strong colour jitter: hue and stain shifts as between laboratories.

The ranges below were fixed before any network was tuned, by looking at images only, and no figure
of a model has moved them since. They are kept apart from the augmentation that networks are
trained with: this is what a network is tested on.

Each image gets its own laboratory, in three steps:

1. Stain: colour deconvolution (Ruifrok & Johnston 2001); each of the three stains is multiplied by
   a factor in `STAIN_FACTOR` and shifted by an offset in `STAIN_OFFSET` (optical density), the
   jitter in stain space of Tellez et al., "Quantifying the effects of data augmentation and stain
   color normalization in convolutional neural networks for computational pathology", Medical
   Image Analysis 58 (2019).
2. Hue and saturation: the a*b* plane of CIELAB is turned by an angle in `HUE_DEGREES` and scaled by
   a factor in `SATURATION_FACTOR`; lightness stays.
3. Lamp and camera: gains per channel in `CHANNEL_GAIN` (white balance), and one gain over all in
   `BRIGHTNESS_GAIN`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from train.robustness.stain_space import from_stains, to_stains

#: Limits of uniform distributions.
STAIN_FACTOR = (0.7, 1.3)
STAIN_OFFSET = (-0.05, 0.05)
HUE_DEGREES = (-18.0, 18.0)
SATURATION_FACTOR = (0.7, 1.3)
CHANNEL_GAIN = (0.92, 1.08)
BRIGHTNESS_GAIN = (0.85, 1.15)


def shift_laboratory(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return each image as another laboratory might have stained and photographed it.

    An image's laboratory depends on the seed and on its position alone.

    Args:
        images: RGB, uint8, shape (n, height, width, 3).
        seed: of the laboratories.

    Returns:
        RGB, uint8, of the same shape; the input is left as it is.
    """
    shifted = np.empty_like(images)

    def shift(index: int) -> None:
        shifted[index] = _shift_one(images[index], np.random.default_rng((seed, index)))

    with ThreadPoolExecutor() as pool:
        list(pool.map(shift, range(len(images))))
    return shifted


def _shift_one(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    stains = to_stains(image)
    stains = stains * generator.uniform(*STAIN_FACTOR, 3) + generator.uniform(*STAIN_OFFSET, 3)
    stained = np.clip(from_stains(stains), 0.0, 255.0)
    turned = turn_hue(
        stained, generator.uniform(*HUE_DEGREES), generator.uniform(*SATURATION_FACTOR)
    )
    gains = generator.uniform(*CHANNEL_GAIN, 3) * generator.uniform(*BRIGHTNESS_GAIN)
    return np.clip(np.rint(turned * gains), 0, 255).astype(np.uint8)


def turn_hue(image: NDArray[np.float64], degrees: float, saturation: float) -> NDArray[np.float64]:
    """Turn and scale an image's chroma in CIELAB, leaving lightness as it is.

    Args:
        image: RGB, shape (height, width, 3), values 0..255.
        degrees: angle in the a*b* plane; 0 leaves the hue.
        saturation: factor of the chroma; 1 leaves it, 0 gives grey.

    Returns:
        RGB, of the same shape and range, not rounded; OpenCV's tables are exact to about 0.5.
    """
    lab = cv2.cvtColor((image / 255.0).astype(np.float32), cv2.COLOR_RGB2Lab)
    angle = np.deg2rad(degrees)
    turn = saturation * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    lab[..., 1:] = lab[..., 1:] @ turn.astype(np.float32)
    turned = np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB).astype(np.float64) * 255.0, 0.0, 255.0)
    return np.asarray(turned, np.float64)
