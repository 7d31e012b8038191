"""The image files that a command is given, as files or as folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def find_images(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files as given, and the images at any depth inside folders but hidden ones."""
    from edge.image_file import is_image_name

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


def read_found_image(path: Path) -> Any:
    """Read one of the paths that `find_images` yields, as `edge.image_file.read_image` does.

    Raises:
        ImageFileError: a folder without images, or a file that is no 8-bit RGB image.
    """
    from edge.errors import ImageFileError
    from edge.image_file import read_image

    if path.is_dir():
        raise ImageFileError(
            "A folder given to this command holds JPEG, PNG, BMP or TIFF images",
            got=f"none in {path}",
            next_step="Check the path",
        )
    return read_image(path)
