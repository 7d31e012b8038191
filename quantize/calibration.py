"""Choice of the images that int8 ranges are measured on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: How many images of each class enter calibration, where the training part has so many.
IMAGES_PER_CLASS = 50


def choose_calibration_images(
    targets: NDArray[np.int64],
    training_part: NDArray[np.int64],
    seed: int,
    per_class: int = IMAGES_PER_CLASS,
) -> NDArray[np.int64]:
    """Draw a class-balanced calibration set from the training part.

    Args:
        targets: each image's class; int64, shape (n,).
        training_part: positions of the training images; int64, shape (m,). Synthetic images and
            those of validation and test must not be among them.
        seed: of the random choice.
        per_class: how many of each class, where there are so many.

    Returns:
        Positions of the chosen images, sorted; int64.
    """
    generator = np.random.default_rng(seed)
    chosen = []
    for target in np.unique(targets[training_part]):
        members = training_part[targets[training_part] == target]
        count = min(per_class, len(members))
        chosen.append(generator.choice(members, count, replace=False))
    return np.sort(np.concatenate(chosen))
