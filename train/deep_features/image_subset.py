"""A part of an image set, for what takes too long on all of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.image_set import ImageSet


def limit_classes(image_set: ImageSet, limit: int | None) -> ImageSet:
    """Return up to so many images of each class, chosen by their digests.

    The same images are chosen whatever the input size and the other images' order.

    Args:
        image_set: n images.
        limit: most images of a class; None keeps all.
    """
    if limit is None:
        return image_set
    kept: list[int] = []
    for target in range(len(image_set.labels)):
        members = np.flatnonzero(image_set.targets == target).tolist()
        kept += sorted(members, key=lambda place: image_set.digests[place])[:limit]
    kept.sort()
    return replace(
        image_set,
        paths=tuple(image_set.paths[place] for place in kept),
        targets=image_set.targets[kept],
        images=image_set.images[kept],
        thumbnails=image_set.thumbnails[kept],
        digests=tuple(image_set.digests[place] for place in kept),
    )
