"""From RGB to the amounts of stain that absorbed the light, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Optical density of one unit of haematoxylin, eosin and diaminobenzidine (rows) in the red, green
#: and blue channel (columns). Ruifrok & Johnston, "Quantification of histochemical staining by
#: color deconvolution", Analytical and Quantitative Cytology and Histology 23 (2001), in the
#: rounding that scikit-image uses. Blood smears carry Romanowsky stains (azure and eosin), whose
#: first two vectors are near these; the third takes up what they leave.
RGB_FROM_STAINS: NDArray[np.float64] = np.array(
    [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]]
)
STAINS_FROM_RGB: NDArray[np.float64] = np.linalg.inv(RGB_FROM_STAINS).astype(np.float64)


def to_stains(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Separate stains by the Beer-Lambert law: absorption is a sum over stains.

    Args:
        images: RGB, uint8, shape (..., 3).

    Returns:
        Amount of each stain, shape (..., 3), in units of optical density to base e; negative where
        the colour is none that the three stains can make. `from_stains` inverts it exactly.
    """
    density = -np.log((images.astype(np.float64) + 1.0) / 256.0)
    stains: NDArray[np.float64] = density @ STAINS_FROM_RGB
    return stains


def from_stains(stains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colours that amounts of stain give.

    Args:
        stains: amounts as `to_stains` returns them, shape (..., 3).

    Returns:
        RGB, shape (..., 3), neither rounded nor limited to 0..255.
    """
    colours: NDArray[np.float64] = 256.0 * np.exp(-(stains @ RGB_FROM_STAINS)) - 1.0
    return colours
