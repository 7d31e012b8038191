"""Image files and folders as commands take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageFileError
from edge.image_file import is_image_name, read_image


def find_images(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files as given, and the images at any depth inside folders but hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        images = sorted(
            file
            for file in path.rglob("*")
            if is_image_name(file)
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
        # A folder without images goes on as a path, and gets an error line like any other.
        yield from images or [path]


def read_found(path: Path) -> NDArray[np.uint8]:
    """Read an image that `find_images` yielded.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ImageFileError: it cannot be read, or it is a folder without images.
    """
    if path.is_dir():
        raise ImageFileError(
            "A folder to look at holds JPEG, PNG, BMP or TIFF images",
            got=f"none in {path}",
            next_step="Check the path",
        )
    return read_image(path)
