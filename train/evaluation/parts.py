"""Which images of a folder belong to which part of a split, found by their content."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError, TrainingError
from train.image_set import ImageSet
from train.splits.split import PARTS, Split


def choose_part(image_set: ImageSet, part: str, split: Split | None) -> NDArray[np.int64]:
    """Return the positions of the images that belong to a part.

    Args:
        image_set: the images.
        part: "all", or one part of the split: "train", "validation" or "test".
        split: how images were divided; None where that is not known.

    Returns:
        int64, shape (images chosen,), one or more.

    Raises:
        TrainingError: there is no such part, or no split.
        DatasetError: no image belongs to the part.
    """
    if part == "all":
        return np.arange(len(image_set), dtype=np.int64)
    if part not in PARTS:
        raise TrainingError(
            f"The part is all, {', '.join(PARTS)}", got=part, next_step="Choose one of them"
        )
    if split is None:
        raise TrainingError(
            "A part can be chosen where the split is known",
            got="a model without one",
            next_step="Pass the run's split with --split RUN/split.csv",
        )
    inside = {digest for digest, one in zip(split.digests, split.parts, strict=True) if one == part}
    chosen = [index for index, digest in enumerate(image_set.digests) if digest in inside]
    if not chosen:
        raise DatasetError(
            f"The data holds images of the split's {part} part",
            got=f"none in {image_set.folder}",
            next_step="Pass the folder that the run was trained on, or leave --part out",
        )
    return np.array(chosen, np.int64)


def count_trained_on(
    image_set: ImageSet, chosen: NDArray[np.int64], split: Split | None
) -> int | None:
    """Count the chosen images that a split has in its training part; None without a split.

    Args:
        image_set: the images.
        chosen: positions in it; int64, shape (images chosen,).
        split: how the model's images were divided.
    """
    if split is None:
        return None
    trained_on = {
        digest for digest, one in zip(split.digests, split.parts, strict=True) if one == "train"
    }
    return sum(image_set.digests[index] in trained_on for index in chosen)


def find_groups(
    image_set: ImageSet, chosen: NDArray[np.int64], split: Split | None
) -> NDArray[np.int64] | None:
    """Return which of the chosen images a split holds together; None without a split.

    Args:
        image_set: the images.
        chosen: positions in it; int64, shape (images chosen,).
        split: how the model's images were divided.

    Returns:
        A number for each chosen image, the same for images of one group; an image that the split
        does not know is a group of its own. int64, shape (images chosen,).
    """
    if split is None:
        return None
    known = dict(zip(split.digests, split.groups, strict=True))
    beyond = max(split.groups) + 1
    groups = [known.get(image_set.digests[place], beyond + place) for place in chosen]
    return np.array(groups, np.int64)
