"""One folder of images at the input sizes of several networks."""

from __future__ import annotations

from pathlib import Path

from edge.cell_crop import CellCrop
from edge.errors import DatasetError
from train.image_set import ImageSet, Progress, read_image_set


class ImageSets:
    """A folder of labelled images, read once for each input size.

    Args:
        data: holds `<class>/` or `Original/<class>/` with images.
        progress: called with (images read, images in all) as a reading goes on.
    """

    def __init__(self, data: Path, progress: Progress | None = None) -> None:
        self.data = data
        self._progress = progress
        self._by_view: dict[tuple[int, CellCrop | None], ImageSet] = {}
        self._digest: str | None = None

    def at(self, side: int, cell: CellCrop | None = None) -> ImageSet:
        """Return the images at one input size.

        Args:
            side: height and width in pixels.
            cell: the square to cut out around the cell of each; None for fields.

        Raises:
            DatasetError: the images cannot be used, or have changed since they were first read.
        """
        view = (side, cell)
        if view not in self._by_view:
            image_set = read_image_set(self.data, side, side, progress=self._progress, cell=cell)
            digest = image_set.digest()
            if self._digest not in (None, digest):
                raise DatasetError(
                    "An image set must not change while a study is under way",
                    got=f"{self.data}, which has changed",
                    next_step="Start the study again with another --out",
                )
            self._digest = digest
            self._by_view[view] = image_set
        return self._by_view[view]
