"""The labelled images that models are compared on."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import DatasetError, SplitError
from edge.image_file import list_images

#: What `--part` takes: the parts of a split's file, or all images.
PARTS = ("train", "validation", "test", "all")

_LAYOUT = "Arrange the images as DIR/<class>/*.jpg"


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """Image files and their classes.

    Attributes:
        folder: the one that holds the class folders.
        classes: the class folders' names, sorted.
        paths: the image files, class by class.
        labels: each image's class.
    """

    folder: Path
    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: tuple[str, ...]


def find_images(folder: Path) -> ImageFolder:
    """List the images under a folder.

    Args:
        folder: holds `<class>/` or `Original/<class>/`, with JPEG, PNG, BMP or TIFF files inside.

    Raises:
        DatasetError: the folder is absent, or there are no images in such folders.
    """
    if not folder.is_dir():
        raise DatasetError(
            "The data is a folder of images",
            got=f"{folder}, which is {'a file' if folder.exists() else 'not there'}",
            next_step=_LAYOUT,
        )
    root = folder / "Original" if (folder / "Original").is_dir() else folder
    found = {
        inner.name: list_images(inner)
        for inner in sorted(root.iterdir())
        if inner.is_dir() and not inner.name.startswith(".")
    }
    pairs = [(path, label) for label, paths in found.items() for path in paths]
    if not pairs:
        raise DatasetError(
            "The data folder holds one folder of images per class",
            got=f"no image in the folders of {root}",
            next_step=_LAYOUT,
        )
    return ImageFolder(
        folder=root,
        classes=tuple(found),
        paths=tuple(path for path, _ in pairs),
        labels=tuple(label for _, label in pairs),
    )


def choose_part(images: ImageFolder, split: Path, part: str) -> tuple[ImageFolder, int]:
    """Keep the images that a split's file has in one part, found by their content.

    Args:
        images: as `find_images` lists them.
        split: a `split.csv`, as `blastscope train` and `blastscope split` write it.
        part: one of `PARTS`.

    Returns:
        The images of the part, and how many of the part are not in the folder.

    Raises:
        SplitError: the file is no such table.
        DatasetError: no image of the folder is in the part.
    """
    wanted = _part_digests(split, part)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in images.paths]
    kept = [place for place, digest in enumerate(digests) if digest in wanted]
    if not kept:
        raise DatasetError(
            f"The data holds images of the split's {part} part",
            got=f"none of its {len(wanted)} in {images.folder}",
            next_step="Pass the folder that the split was made of, or leave --split out",
        )
    chosen = ImageFolder(
        folder=images.folder,
        classes=images.classes,
        paths=tuple(images.paths[place] for place in kept),
        labels=tuple(images.labels[place] for place in kept),
    )
    return chosen, len(wanted - {digests[place] for place in kept})


def settle_labels(
    models: Sequence[tuple[str, tuple[str, ...] | None, int]],
    given: tuple[str, ...] | None,
    images: ImageFolder | None,
) -> list[tuple[str, ...]]:
    """Say what each model's outputs stand for.

    A model's own card comes first; then --labels; then the first card of the others; then the
    class folders in the order of their names, as `blastscope train` takes them.

    Args:
        models: of each its name, the labels on its card or None, and its number of outputs.
        given: the labels of models without a card; None where none were given.
        images: what the models are compared on; None for speed alone.

    Returns:
        The labels of each model, in the order of its outputs.

    Raises:
        DatasetError: labels and outputs differ in number, the models know different classes, or
            the images have classes that the models do not know.
    """
    on_cards = next((labels for _, labels, _ in models if labels is not None), None)
    settled: list[tuple[str, ...]] = []
    for name, own, outputs in models:
        labels = own or given or on_cards or (images.classes if images is not None else None)
        if labels is None:
            labels = tuple(f"class {index}" for index in range(outputs))
        if len(labels) != outputs or len(set(labels)) != len(labels):
            raise DatasetError(
                f"The model {name} has {outputs} outputs, and each needs a label of its own",
                got=f"{len(labels)}: {', '.join(labels)}",
                next_step="Name them in the order of the outputs with --labels A,B,C",
            )
        if settled and set(labels) != set(settled[0]):
            raise DatasetError(
                "Models that are compared know the same classes",
                got=f"{', '.join(settled[0])} in {models[0][0]} and {', '.join(labels)} in {name}",
                next_step="Compare the others apart, or name the classes with --labels",
            )
        settled.append(labels)
    if images is not None and (unknown := sorted(set(images.labels) - set(settled[0]))):
        raise DatasetError(
            f"The class folders are named as the models' labels: {', '.join(settled[0])}",
            got=f"{', '.join(unknown)} under {images.folder}",
            next_step="Rename the folders, or name the classes with --labels",
        )
    return settled


def _part_digests(split: Path, part: str) -> set[str]:
    """Return the SHA-256 of each file in a part."""
    try:
        with split.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = [(row["part"], row["sha256"]) for row in csv.DictReader(file)]
        if not rows:
            raise ValueError("no rows")
        if any(digest is None or one not in PARTS[:3] for one, digest in rows):
            raise ValueError("a row that is cut short, or has another part")
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise SplitError(
            f"The split {split} is a CSV file with columns path, part, group and sha256",
            got=f"{type(error).__name__}: {error}",
            next_step="Pass the split.csv of a run folder, or a file that `blastscope split` wrote",
        ) from error
    return {digest for one, digest in rows if part in (one, "all")}
