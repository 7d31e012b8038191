"""Class activation maps over their images, as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from train.evaluation.cell_mask import sure_cell_mask
from train.evaluation.class_activation import ClassActivation
from train.evaluation.contact_sheet import Tile, draw_contact_sheet
from train.evaluation.evaluation import Evaluation
from train.evaluation.mistakes import caption, find_mistakes

#: Most mistakes on a sheet, and images that were right of each class.
MOST_MISTAKES, RIGHT_OF_EACH_CLASS = 12, 3

_COLUMNS = 3
_GREEN = (0, 170, 60)


def choose_images(
    scores: NDArray[np.float32],
    targets: NDArray[np.int64],
    labels: Sequence[str],
    seed: int = 0,
) -> NDArray[np.int64]:
    """Return which images to show: the surest mistakes, then some that were right of each class.

    Args:
        scores: class probabilities; float32, shape (n, classes).
        targets: the images' classes; int64, shape (n,).
        labels: the classes' names.
        seed: of the choice among those that were right.

    Returns:
        Positions; int64.
    """
    generator = np.random.default_rng(seed)
    chosen = [find_mistakes(scores, targets, labels)[:MOST_MISTAKES]]
    for target in range(scores.shape[1]):
        right = np.flatnonzero((targets == target) & (scores.argmax(axis=1) == target))
        generator.shuffle(right)
        chosen.append(np.sort(right[:RIGHT_OF_EACH_CLASS]))
    return np.concatenate(chosen).astype(np.int64)


def draw_activation(path: Path, evaluation: Evaluation, activation: ClassActivation) -> int:
    """Draw images beside their class activation as PNG, white cells outlined in green.

    Args:
        path: the PNG file.
        evaluation: whose images; the maps are of the predicted class.
        activation: of its network.

    Returns:
        How many images are on the sheet.

    Raises:
        OutputError: the picture cannot be written.
    """
    chosen = choose_images(evaluation.scores, evaluation.targets, evaluation.image_set.labels)
    images = evaluation.images[chosen]
    predicted = evaluation.scores[chosen].argmax(axis=1).astype(np.int64)
    tiles = []
    maps = activation.maps(images, predicted)
    for index, image, one, found in zip(chosen, images, maps, predicted, strict=True):
        cells = sure_cell_mask(image)
        share = f"{one[cells].sum() / one.sum():.0%} on white cells" if one.any() else "nothing"
        text = f"{caption(evaluation, int(index))}\n{share}"
        tiles.append(Tile(overlay(image, one, cells), text, found != evaluation.targets[index]))
    draw_contact_sheet(path, tiles, _COLUMNS)
    return len(tiles)


def overlay(
    image: NDArray[np.uint8], activation: NDArray[np.float32], cells: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return an image beside itself under its class activation.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        activation: 0 or more; float32, shape (height, width).
        cells: True on white cells; shape (height, width).

    Returns:
        RGB, uint8, shape (height, 2 * width, 3). The brighter, the more speaks for the class, up
        to the highest value of the image.
    """
    highest = float(activation.max())
    share = activation / highest if highest > 0 else activation
    heat = np.asarray(colormaps["inferno"](share))[..., :3] * 255
    mixed = np.rint(0.45 * image + 0.55 * heat).astype(np.uint8)
    outlines, _ = cv2.findContours(cells.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    pair = [
        cv2.drawContours(np.ascontiguousarray(one), outlines, -1, _GREEN, 1)
        for one in (image.copy(), mixed)
    ]
    return np.asarray(np.hstack(pair), np.uint8)
