"""A folder of simulated fields, laid out as image classifiers expect it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge.output import make_folder, require_absent, whole_file
from edge.smear.field import render_field
from edge.smear.morphology import LABELS


def write_dataset(
    folder: Path,
    per_class: int,
    seed: int,
    *,
    size: int = 224,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write simulated fields of all classes as PNG files.

    The files are `folder/<class>/<class>-0001.png` and so on; every image has its own seed.

    Args:
        folder: is created where absent.
        per_class: images of each class.
        seed: any whole number from 0; the same seed gives the same bytes.
        size: height and width in pixels.
        progress: called after each image with the number written and the number in all.

    Returns:
        The files in the order in which they were written: class by class.

    Raises:
        BlastscopeError: the seed is negative or the size out of range.
        OutputError: a file exists already or cannot be written.
    """
    written: list[Path] = []
    total = per_class * len(LABELS)
    for label_index, label in enumerate(LABELS):
        for number in range(1, per_class + 1):
            path = folder / label / f"{label}-{number:04d}.png"
            pixels = render_field(
                label, _image_seed(seed, label_index, number), width=size, height=size
            )
            _write_png(path, np.ascontiguousarray(pixels[:, :, ::-1]))
            written.append(path)
            if progress is not None:
                progress(len(written), total)
    return tuple(written)


def _image_seed(seed: int, label_index: int, number: int) -> int:
    """Return a 64-bit seed for one image; a negative seed is passed on for `render_field`."""
    if seed < 0:
        return seed
    sequence = np.random.SeedSequence([seed, label_index, number])
    return int(sequence.generate_state(1, np.uint64)[0])


def _write_png(path: Path, bgr: cv2.typing.MatLike) -> None:
    """Write a new PNG file."""
    require_absent(path, "Simulated images overwrite nothing: name a new folder")
    make_folder(path.parent)
    with whole_file(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
