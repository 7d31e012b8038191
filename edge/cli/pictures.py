"""Pictures that commands write of the images they were given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def distinct_names(files: Sequence[Path]) -> list[str]:
    """Return a name for what is written of each file: its own, numbered where it is taken."""
    taken: set[str] = set()
    names = []
    for file in files:
        name, number = file.stem, 2
        while name.lower() in taken:
            name, number = f"{file.stem}-{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return names


def write_png(path: Path, image: Any) -> None:
    """Write a picture as PNG.

    Args:
        path: the file.
        image: RGB, uint8, shape (height, width, 3).

    Raises:
        OutputError: it cannot be written.
    """
    import cv2

    from edge.output import whole_file

    with whole_file(path) as temporary:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        temporary.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
