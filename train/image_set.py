"""Folders of labelled images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError
from edge.image_file import list_images
from train.image_cache import DecodedImages, ImageCache, cache_folder
from train.image_decoding import THUMBNAIL_SIDE, Progress, decode_images, decoding_key

__all__ = [
    "THUMBNAIL_SIDE",
    "ImageSet",
    "Progress",
    "UnreadableImage",
    "read_image_set",
    "read_usable_images",
]

#: Unreadable files that an error names before it only counts them.
_NAMED = 20

_LAYOUT = "Lay the images out as DIR/<class>/*.jpg or DIR/Original/<class>/*.jpg"


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Labelled images at one network's input size, held in memory.

    Attributes:
        folder: the folder that holds one subfolder per class.
        labels: the classes, sorted by name.
        paths: each image's path relative to `folder`, sorted by class and name.
        targets: each image's index into `labels`; int64, shape (n,).
        images: RGB, uint8, shape (n, height, width, 3), as `edge.preprocess` makes them; read-only.
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


@dataclass(frozen=True, slots=True)
class UnreadableImage:
    """A file of an image set that cannot be used.

    Attributes:
        path: relative to the set's folder.
        label: the class that it lies in.
        reason: what is wrong with it.
    """

    path: str
    label: str
    reason: str


def read_image_set(
    folder: Path,
    height: int,
    width: int,
    labels: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> ImageSet:
    """Read all images under a folder, preprocessed for a network.

    The pixels come from the image cache (`train.image_cache`) where an earlier run has left them
    there and no file has changed since; they are read-only in any case.

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
            only one class, or some images cannot be read (up to 20 of them are named).
    """
    image_set, unreadable = read_usable_images(folder, height, width, labels, progress)
    if unreadable:
        named = [f"{image_set.folder / one.path}: {one.reason}" for one in unreadable[:_NAMED]]
        if len(unreadable) > _NAMED:
            named.append("and more, all of which `blastscope audit` names")
        raise DatasetError(
            "Every image of a set must be readable",
            got=f"{len(unreadable)} that are not: " + "; ".join(named),
            next_step="Remove these files or replace them",
        )
    return image_set


def read_usable_images(
    folder: Path,
    height: int,
    width: int,
    labels: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> tuple[ImageSet, tuple[UnreadableImage, ...]]:
    """Read the images under a folder that can be read, and name those that cannot.

    Args:
        folder: as for `read_image_set`.
        height: as for `read_image_set`.
        width: as for `read_image_set`.
        labels: as for `read_image_set`.
        progress: as for `read_image_set`.

    Returns:
        The readable images, of which there may be none, and the others in the order of their paths.

    Raises:
        DatasetError: as for `read_image_set`, but not for images that cannot be read.
    """
    root, found = _find_classes(folder)
    labels = _check_labels(root, found, labels)
    files = [path for label in labels for path in found.get(label, [])]
    targets = [index for index, label in enumerate(labels) for _ in found.get(label, [])]
    decoded, problems = _read_through_cache(root, files, height, width, progress)
    paths = [path.relative_to(root).as_posix() for path in files]
    kept = [index for index in range(len(files)) if index not in problems]
    image_set = ImageSet(
        folder=root,
        labels=tuple(labels),
        paths=tuple(paths[index] for index in kept),
        targets=np.array([targets[index] for index in kept], np.int64),
        images=decoded.images,
        thumbnails=decoded.thumbnails,
        digests=decoded.digests,
    )
    unreadable = tuple(
        UnreadableImage(paths[index], labels[targets[index]], problems[index])
        for index in sorted(problems)
    )
    return image_set, unreadable


def _check_labels(
    root: Path, found: Mapping[str, Sequence[Path]], labels: Sequence[str] | None
) -> Sequence[str]:
    """Return the classes' names, after a check that the folders are those classes."""
    if labels is None:
        if len(found) < 2:
            raise DatasetError(
                "An image set has two classes or more",
                got=f"only {sorted(found)} under {root}",
                next_step=_LAYOUT,
            )
        return sorted(found)
    if unknown := sorted(set(found) - set(labels)):
        raise DatasetError(
            f"The class folders are named as the model's labels: {', '.join(labels)}",
            got=f"{', '.join(unknown)} under {root}",
            next_step="Rename the folders, or evaluate with the model that knows these classes",
        )
    return labels


def _read_through_cache(
    root: Path, files: Sequence[Path], height: int, width: int, progress: Progress | None
) -> tuple[DecodedImages, dict[int, str]]:
    """Take decoded images from the user's cache, or decode them and leave them there."""
    folder = cache_folder()
    if folder is None:
        return decode_images(files, height, width, progress)
    cache = ImageCache(folder)
    key = decoding_key(root, files, height, width)
    if key is not None and (held := cache.load(key)) is not None:
        if progress is not None:
            progress(len(files), len(files))
        return held, {}
    decoded, problems = decode_images(files, height, width, progress)
    # A file that changes while it is read must not be kept as what it was, or will be.
    if not problems and key is not None and decoding_key(root, files, height, width) == key:
        decoded = cache.store(key, decoded)
    return decoded, problems


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
