"""A study on disk."""

from __future__ import annotations

import json
from pathlib import Path

from edge.errors import OutputError
from edge.output import make_folder, require_writable, write_json
from train.image_set import ImageSet


class StudyFolder:
    """The files of one study, by name.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.marker = path / "study.json"
        self.runs = path / "runs"

    def open(self, study: str, image_set: ImageSet) -> None:
        """Make the folder, or make sure that it holds this very study, to go on with it.

        Args:
            study: its name.
            image_set: the images that it is about.

        Raises:
            OutputError: the folder lies among the images, holds something else, or cannot be
                written.
        """
        if self.path.resolve().is_relative_to(image_set.folder.resolve()):
            raise OutputError(
                "A study's folder lies outside the folder of the classes, lest it be taken for one",
                got=self.path,
                next_step="Choose another --out",
            )
        require_writable(self.marker if self.path.is_dir() else self.path)
        wanted = {"study": study, "data_sha256": image_set.digest()}
        if self.marker.is_file():
            found = self._read_marker()
            if found != wanted:
                changed = "another study" if found.get("study") != study else "other images"
                raise OutputError(
                    "A study's folder holds one study of one set of images",
                    got=f"{self.path}, which is of {changed}",
                    next_step="Choose another --out",
                )
            return
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise OutputError(
                "A study is written into a folder of its own",
                got=f"{self.path}, which holds something else",
                next_step="Choose another --out",
            )
        make_folder(self.path)
        write_json(self.marker, wanted)

    def _read_marker(self) -> dict[str, str]:
        try:
            found = json.loads(self.marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        return found if isinstance(found, dict) else {}
