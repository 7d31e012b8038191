"""Images from elsewhere, which need no classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError
from edge.image_file import is_image_name, read_image
from edge.preprocess import preprocess
from edge.quality import MEASURED_SIDE


def read_foreign(folder: Path) -> list[NDArray[np.uint8]]:
    """Read all images at any depth of a folder, at the size that is measured.

    Args:
        folder: holds JPEG, PNG, BMP or TIFF files.

    Returns:
        RGB, uint8, shape (MEASURED_SIDE, MEASURED_SIDE, 3), sorted by path.

    Raises:
        DatasetError: the folder holds no image.
        ImageFileError: one cannot be read.
    """
    files = sorted(path for path in folder.rglob("*") if is_image_name(path) and path.is_file())
    if not files:
        raise DatasetError(
            "A folder of images from elsewhere holds JPEG, PNG, BMP or TIFF files",
            got=f"none in {folder}",
            next_step="Check the path",
        )
    return [preprocess(read_image(file), MEASURED_SIDE, MEASURED_SIDE) for file in files]
