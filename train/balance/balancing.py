"""One way to balance a training part, carried out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from train.balance.blends import Blends, draw_blends
from train.balance.coordinates import pixel_coordinates
from train.balance.methods import SYNTHETIC, Balance, class_weights

#: Side in pixels of the small pictures that stand for features where a network has no backbone.
_PICTURE_SIDE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Balancing:
    """What balances a training part.

    Attributes:
        blends: synthetic examples; None for none.
        class_weights: of the loss; None for equal ones.
    """

    blends: Blends | None = None
    class_weights: dict[int, float] | None = None


def balance_part(
    balance: Balance,
    images: NDArray[np.uint8],
    targets: NDArray[np.int64],
    features: NDArray[np.float32] | None,
    seed: int,
) -> Balancing:
    """Balance the classes of a training part.

    Args:
        balance: which way.
        images: RGB, uint8, shape (n, side, side, 3).
        targets: their classes; int64, shape (n,).
        features: of a frozen backbone, for "smote-features"; float32, shape (n, features). None
            takes the images, made 16 x 16 pixels small.
        seed: of the random choice.

    Raises:
        TrainingError: a class has too few images for synthetic ones.
    """
    if balance == "class-weights":
        return Balancing(class_weights=class_weights(targets))
    if balance not in SYNTHETIC:
        return Balancing()
    if balance != "smote-features":
        vectors = pixel_coordinates(images)
    elif features is not None:
        vectors = features
    else:
        vectors = _small_pictures(images)
    blends = draw_blends(vectors, targets, seed, "adasyn" if balance == "adasyn" else "smote")
    return Balancing(blends=blends if len(blends) else None)


def _small_pictures(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    size = (_PICTURE_SIDE, _PICTURE_SIDE)
    small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small).reshape(len(images), -1).astype(np.float32)
