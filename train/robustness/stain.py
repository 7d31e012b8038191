"""Degradations in the staining."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.robustness.light import to_bytes
from train.robustness.stain_space import from_stains, to_stains


def stain_shift(
    image: NDArray[np.uint8], strength: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Make each stain stronger or weaker, as another batch or another time in the bath does.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        strength: each stain's amount is multiplied by 1 + strength or by 1 - strength.
        generator: draws which.
    """
    signs = generator.choice([-1.0, 1.0], 3)
    return to_bytes(from_stains(to_stains(image) * (1.0 + strength * signs)))
