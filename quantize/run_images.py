"""A run's images, as quantization takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import read_cell_crop
from edge.errors import DatasetError
from train.image_set import Progress, read_image_set
from train.run_folder import RunConfig
from train.splits.split import Split


def read_run_images(
    config: RunConfig,
    split: Split,
    data: Path | None,
    progress: Progress | None,
    side: int | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return a run's images and classes in the order of its split, found by their content.

    Args:
        config: of the run.
        split: of the run.
        data: the images, where they have moved since training; None takes the run's folder.
        progress: called with (images read, images in all).
        side: height and width to bring whole frames to; None takes what the network sees of them.

    Returns:
        RGB, uint8, shape (n, side, side, 3), and their classes, int64, shape (n,).

    Raises:
        DatasetError: the images are not there, or not as they were.
    """
    folder = data if data is not None else Path(config.data)
    if not folder.is_dir():
        raise DatasetError(
            "Quantization reads the images that the run was trained on",
            got=f"no folder {folder}",
            next_step="Say where they are now with --data",
        )
    cell = read_cell_crop(config.cell) if side is None else None
    side = side or config.side
    image_set = read_image_set(folder, side, side, config.labels, progress, cell=cell)
    places = {digest: index for index, digest in enumerate(image_set.digests)}
    missing = [
        path
        for path, digest in zip(split.paths, split.digests, strict=True)
        if digest not in places
    ]
    if missing:
        raise DatasetError(
            "Quantization reads the images that the run was trained on",
            got=f"{len(missing)} of {len(split.paths)} that are not under {folder}, or not as they "
            f"were: {', '.join(missing[:5])}",
            next_step="Say where they are now with --data, or train again",
        )
    order = [places[digest] for digest in split.digests]
    return image_set.images[order], image_set.targets[order]
