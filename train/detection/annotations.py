"""Fields with boxes around their cells, as files in Pascal VOC's format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from edge.errors import DatasetError
from edge.image_file import list_images

#: xmin, ymin, xmax, ymax in pixels.
Box = tuple[float, float, float, float]

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class AnnotatedField:
    """One field with the boxes of one kind of cell.

    Attributes:
        path: of the image.
        boxes: around its cells; empty where it has none.
        development: whether it belongs to the half that a finder may be tuned on.
    """

    path: Path
    boxes: tuple[Box, ...]
    development: bool


def read_fields(folder: Path, name: str = "WBC", seed: int = 0) -> list[AnnotatedField]:
    """Read a set as the BCCD data set lies: `JPEGImages`, and `Annotations` with an XML for each.

    Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 88 (2010). The
    halves come from each file's bytes and the seed alone, so that they hold whatever else is in
    the folder; identical files are in the same half.

    Args:
        folder: the set's.
        name: which objects to read, as the annotations call them.
        seed: of the division in two halves.

    Returns:
        The fields, sorted by file name.

    Raises:
        DatasetError: there are no images, or an annotation is absent or no VOC file.
    """
    images = folder / "JPEGImages"
    paths = list_images(images) if images.is_dir() else []
    if not paths:
        raise DatasetError(
            "A set with boxes has images in JPEGImages and an XML file for each in Annotations",
            got=f"no images in {images}",
            next_step="Check the path; the BCCD data set is at github.com/Shenggan/BCCD_Dataset",
        )
    fields = []
    for path in paths:
        boxes = _read_boxes(folder / "Annotations" / f"{path.stem}.xml", name)
        digest = hashlib.sha256(str(seed).encode() + path.read_bytes()).digest()
        fields.append(AnnotatedField(path, boxes, development=digest[0] < 128))
    return fields


def _read_boxes(path: Path, name: str) -> tuple[Box, ...]:
    try:
        objects = ElementTree.parse(path).getroot().iter("object")
        return tuple(_box(one) for one in objects if one.findtext("name") == name)
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise DatasetError(
            f"The annotation {path} must be a Pascal VOC file",
            got=error,
            next_step="Download the set again",
        ) from error


def _box(one: ElementTree.Element) -> Box:
    xmin, ymin, xmax, ymax = (float(one.findtext(f"bndbox/{corner}", "")) for corner in _CORNERS)
    if not (xmin < xmax and ymin < ymax):
        raise ValueError(f"a box of {xmin:g}, {ymin:g}, {xmax:g}, {ymax:g}")
    return xmin, ymin, xmax, ymax
