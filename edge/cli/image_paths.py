"""The image files that a command is given, as files or as folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path


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
