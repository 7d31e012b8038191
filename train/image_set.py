"""Folders of labelled images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop
from edge.errors import DatasetError
from train.image_cache import DecodedImages, ImageCache, cache_folder
from train.image_decoding import THUMBNAIL_SIDE, Progress, decode_images, decoding_key
from train.layouts import LAYOUT, find_layout

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


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Labelled images at one network's input size, held in memory.

    Attributes:
        folder: what the paths are relative to, such as the folder that holds one per class.
        labels: the classes, sorted by name.
        paths: each image's path relative to `folder`, sorted by class and name.
        targets: each image's index into `labels`; int64, shape (n,).
        images: RGB, uint8, shape (n, height, width, 3), as `edge.preprocess` makes them; read-only.
        thumbnails: the whole images in grey; uint8, shape (n, THUMBNAIL_SIDE, THUMBNAIL_SIDE).
        digests: SHA-256 of each file in hexadecimal.
        names: what the set calls each image, where its files are named otherwise; else empty.
    """

    folder: Path
    labels: tuple[str, ...]
    paths: tuple[str, ...]
    targets: NDArray[np.int64]
    images: NDArray[np.uint8]
    thumbnails: NDArray[np.uint8]
    digests: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def called(self) -> tuple[str, ...]:
        """What tells each image's subject, if anything does: its name in the set, or its path."""
        return self.names or self.paths

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
    *,
    cell: CellCrop | None = None,
) -> ImageSet:
    """Read all images under a folder, preprocessed for a network.

    The pixels come from the image cache (`train.image_cache`) where an earlier run has left them
    there and no file has changed since; they are read-only in any case.

    Args:
        folder: holds `<class>/` or `Original/<class>/`, with JPEG, PNG, BMP or TIFF files inside,
            or C-NMC 2019 as `train.cnmc_layout` knows it.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        labels: the classes a model knows; each subfolder must be one of them, and some may be
            absent. None takes the subfolders as the classes, of which there must be two or more.
        progress: called with (images read, images in all) as the reading goes on.
        cell: the square to cut out around the cell of each image; None for fields.

    Returns:
        The images, their classes, and what duplicates are found by.

    Raises:
        DatasetError: the folder is absent or empty, a class folder is empty or unknown, there is
            only one class, or some images cannot be read (up to 20 of them are named).
    """
    image_set, unreadable = read_usable_images(folder, height, width, labels, progress, cell=cell)
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
    *,
    cell: CellCrop | None = None,
) -> tuple[ImageSet, tuple[UnreadableImage, ...]]:
    """Read the images under a folder that can be read, and name those that cannot.

    Args:
        folder: as for `read_image_set`.
        height: as for `read_image_set`.
        width: as for `read_image_set`.
        labels: as for `read_image_set`.
        progress: as for `read_image_set`.
        cell: as for `read_image_set`.

    Returns:
        The readable images, of which there may be none, and the others in the order of their paths.

    Raises:
        DatasetError: as for `read_image_set`, but not for images that cannot be read.
    """
    layout = find_layout(folder)
    root, found = layout.root, layout.files
    labels = _check_labels(root, found, labels)
    files = [path for label in labels for path in found.get(label, [])]
    targets = [index for index, label in enumerate(labels) for _ in found.get(label, [])]
    decoded, problems = _read_through_cache(root, files, height, width, progress, cell)
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
        names=tuple(layout.names[files[index]] for index in kept) if layout.names else (),
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
                next_step=LAYOUT,
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
    root: Path,
    files: Sequence[Path],
    height: int,
    width: int,
    progress: Progress | None,
    cell: CellCrop | None,
) -> tuple[DecodedImages, dict[int, str]]:
    """Take decoded images from the user's cache, or decode them and leave them there."""
    folder = cache_folder()
    if folder is None:
        return decode_images(files, height, width, progress, cell)
    cache = ImageCache(folder)
    key = decoding_key(root, files, height, width, cell)
    if key is not None and (held := cache.load(key)) is not None:
        if progress is not None:
            progress(len(files), len(files))
        return held, {}
    decoded, problems = decode_images(files, height, width, progress, cell)
    # A file that changes while it is read must not be kept as what it was, or will be.
    if not problems and key is not None and decoding_key(root, files, height, width, cell) == key:
        decoded = cache.store(key, decoded)
    return decoded, problems
