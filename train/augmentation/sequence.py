"""Which random changes a training uses, by name, and in which order they act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.augmentation.absorption import RandomAbsorption
from train.augmentation.camera import RandomDefocus, RandomJpeg, RandomNoise
from train.augmentation.corner import RandomCorner
from train.augmentation.hue import RandomHue
from train.augmentation.names import AUGMENTATIONS, check_augmentations
from train.augmentation.piece import RandomPiece
from train.augmentation.rotation import RandomRotation
from train.augmentation.share import RandomShare
from train.augmentation.turn import RandomTurn

__all__ = ["AUGMENTATIONS", "augmentation_layers"]


def augmentation_layers(names: Sequence[str], seed: int, piece: int | None = None) -> list[Any]:
    """Return the layers for some changes, in the order in which light and camera act.

    Args:
        names: out of `AUGMENTATIONS`.
        seed: each layer gets one of its own, derived from this.
        piece: height and width in pixels of the random piece that is seen; None for whole images.

    Returns:
        Keras layers from RGB images (batch, height, width, 3), values 0..255, to such images, or
        to pieces of them while training.

    Raises:
        TrainingError: a name is unknown.
    """
    check_augmentations(names)
    # The corner is a place of the whole image; all else is as good on a piece, and costs less.
    corner = [RandomCorner(seed=seed)] if "corner" in names else []
    changes = _changes(names, seed)
    if piece is None:
        return corner + changes
    return [*corner, RandomPiece(piece, seed=seed, changes=changes)]


def _changes(names: Sequence[str], seed: int) -> list[Any]:
    """Return what an image goes through wherever it was taken from."""
    layers: list[Any] = []
    if "turn" in names:
        layers.append(RandomTurn())
    if "rotation" in names:
        layers.append(RandomRotation(seed=seed))
    absorption = {"channel": 0.3, "stain": 0.3, "exposure": 0.15, "white-balance": 0.1}
    chosen = {
        name.replace("-", "_"): strength for name, strength in absorption.items() if name in names
    }
    if chosen:
        layers.append(RandomAbsorption(**chosen, seed=seed + 1))
    shares = _shares(names, seed + 2)
    if any(shares):
        layers.append(RandomShare(shares))
    return layers


def _shares(names: Sequence[str], seed: int) -> list[Any]:
    """Return what eight images in a row go through besides."""
    hue = RandomHue(seed=seed + 1) if "hue" in names else None
    defocus = RandomDefocus(seed=seed + 2) if "defocus" in names else None
    noise = RandomNoise(seed=seed + 3) if "noise" in names else None
    jpeg = RandomJpeg(seed=seed + 4) if "jpeg" in names else None
    return [hue, defocus, None, noise, hue, jpeg, None, None]
