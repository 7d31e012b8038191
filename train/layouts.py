"""Where the images of a set lie, and which class each is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import DatasetError
from edge.image_file import list_images
from train.cnmc_layout import find_cnmc

#: What an error says about how a folder of images looks.
LAYOUT = "Lay the images out as DIR/<class>/*.jpg or DIR/Original/<class>/*.jpg"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of an image set.

    Attributes:
        root: what their paths are relative to.
        files: those of each class.
        names: what the set calls each file, where that is not the file's name; else empty.
    """

    root: Path
    files: Mapping[str, list[Path]]
    names: Mapping[Path, str]


def find_layout(folder: Path) -> Layout:
    """Find the images under a folder.

    C-NMC 2019 is recognized by its own folders (`train.cnmc_layout`); anything else is one folder
    per class.

    Raises:
        DatasetError: there is no such folder, or it does not hold classes with images.
    """
    if not folder.is_dir():
        raise DatasetError(
            "The data is a folder of images",
            got=f"{folder}, which is {'a file' if folder.exists() else 'not there'}",
            next_step=LAYOUT,
        )
    cells = find_cnmc(folder)
    if cells is not None:
        root, labelled, names = cells
        return Layout(root, labelled, names)
    root = folder / "Original" if (folder / "Original").is_dir() else folder
    classes = [
        path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")
    ]
    found = {path.name: list_images(path) for path in classes}
    if not found:
        raise DatasetError(
            "The data folder holds one folder per class",
            got=f"no folder inside {root}",
            next_step=LAYOUT,
        )
    if empty := [name for name, files in found.items() if not files]:
        raise DatasetError(
            "Every class folder holds images, directly and not in folders of its own",
            got=f"none in {', '.join(empty)} under {root}",
            next_step=f"{LAYOUT}; remove folders that are no class",
        )
    return Layout(root, found, {})
