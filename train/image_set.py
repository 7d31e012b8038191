"""Folders of labelled images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError, ImageFileError
from edge.image_file import decode_image, list_images
from edge.preprocess import preprocess

#: Side in pixels of the grey thumbnails that near-identical images are found by.
THUMBNAIL_SIDE = 32

_LAYOUT = "Lay the images out as DIR/<class>/*.jpg or DIR/Original/<class>/*.jpg"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Labelled images at one network's input size, held in memory.

    Attributes:
        folder: the folder that holds one subfolder per class.
        labels: the classes, sorted by name.
        paths: each image's path relative to `folder`, sorted by class and name.
        targets: each image's index into `labels`; int64, shape (n,).
        images: RGB, uint8, shape (n, height, width, 3), as `edge.preprocess` makes them.
        thumbnails: the whole images in grey; uint8, shape (n, THUMBNAIL_SIDE, THUMBNAIL_SIDE).
        digests: SHA-256 of each file in hexadecimal.
    """

    folder: Path
    labels: tuple[str, ...]
    paths: tuple[str, ...]
    targets: NDArray[np.int64]
    images: NDArray[np.uint8]
    thumbnails: NDArray[np.uint8]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def digest(self) -> str:
        """SHA-256 over all labels and file digests: the version of the data."""
        lines = [
            f"{self.labels[target]} {digest}"
            for target, digest in zip(self.targets, self.digests, strict=True)
        ]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def read_image_set(
    folder: Path,
    height: int,
    width: int,
    labels: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> ImageSet:
    """Read all images under a folder, preprocessed for a network.

    Args:
        folder: holds `<class>/` or `Original/<class>/`, with JPEG, PNG, BMP or TIFF files inside.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        labels: the classes a model knows; each subfolder must be one of them, and some may be
            absent. None takes the subfolders as the classes, of which there must be two or more.
        progress: called with (images read, images in all) as the reading goes on.

    Returns:
        The images, their classes, and what duplicates are found by.

    Raises:
        DatasetError: the folder is absent or empty, a class folder is empty or unknown, there is
            only one class, or some images cannot be read (all of them are named).
    """
    root, found = _find_classes(folder)
    if labels is None:
        if len(found) < 2:
            raise DatasetError(
                "An image set has two classes or more",
                got=f"only {sorted(found)} under {root}",
                next_step=_LAYOUT,
            )
        labels = sorted(found)
    elif unknown := sorted(set(found) - set(labels)):
        raise DatasetError(
            f"The class folders are named as the model's labels: {', '.join(labels)}",
            got=f"{', '.join(unknown)} under {root}",
            next_step="Rename the folders, or evaluate with the model that knows these classes",
        )
    files = [path for label in labels for path in found.get(label, [])]
    targets = [index for index, label in enumerate(labels) for _ in found.get(label, [])]
    images = np.empty((len(files), height, width, 3), np.uint8)
    thumbnails = np.empty((len(files), THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.uint8)
    digests = [""] * len(files)

    def read(index: int) -> ImageFileError | None:
        try:
            data = files[index].read_bytes()
            frame = decode_image(data, str(files[index]))
        except ImageFileError as error:
            return error
        except OSError as error:
            return ImageFileError(f"{files[index]} must be readable", got=error.strerror)
        digests[index] = hashlib.sha256(data).hexdigest()
        preprocess(frame, height, width, out=images[index])
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        cv2.resize(grey, size, dst=thumbnails[index], interpolation=cv2.INTER_AREA)
        return None

    unreadable: list[ImageFileError] = []
    with ThreadPoolExecutor() as pool:
        for done, error in enumerate(pool.map(read, range(len(files))), start=1):
            if error is not None:
                unreadable.append(error)
            if progress is not None:
                progress(done, len(files))
    if unreadable:
        raise DatasetError(
            "Every image of a set must be readable",
            got=f"{len(unreadable)} that are not: " + "; ".join(str(one) for one in unreadable[:5]),
            next_step="Remove these files or replace them",
        )
    return ImageSet(
        folder=root,
        labels=tuple(labels),
        paths=tuple(path.relative_to(root).as_posix() for path in files),
        targets=np.array(targets, np.int64),
        images=images,
        thumbnails=thumbnails,
        digests=tuple(digests),
    )


def _find_classes(folder: Path) -> tuple[Path, dict[str, list[Path]]]:
    """Return the folder that holds the class folders, and each class's image files."""
    if not folder.is_dir():
        raise DatasetError(
            "The data is a folder of images",
            got=f"{folder}, which is {'a file' if folder.exists() else 'not there'}",
            next_step=_LAYOUT,
        )
    root = folder / "Original" if (folder / "Original").is_dir() else folder
    classes = [
        path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")
    ]
    found = {path.name: list_images(path) for path in classes}
    if not found:
        raise DatasetError(
            "The data folder holds one folder per class",
            got=f"no folder inside {root}",
            next_step=_LAYOUT,
        )
    if empty := [name for name, files in found.items() if not files]:
        raise DatasetError(
            "Every class folder holds images, directly and not in folders of its own",
            got=f"none in {', '.join(empty)} under {root}",
            next_step=f"{_LAYOUT}; remove folders that are no class",
        )
    return root, found
