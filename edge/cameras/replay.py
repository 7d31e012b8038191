"""A recording shown again: a folder of images, or a video file."""

from __future__ import annotations

import re
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cameras.base import Camera, Frame
from edge.cameras.quiet import quiet_opencv
from edge.errors import CameraError, ImageFileError
from edge.image_file import is_image_name, read_image


def natural_order(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Return a sort key by which "frame-2.png" comes before "frame-10.png"."""
    parts = re.split(r"([0-9]+)", path.name)
    return tuple((0, int(part)) if part.isdecimal() else (1, part.casefold()) for part in parts)


class ReplayCamera(Camera):
    """Frames from a folder of images in natural order, from one image, or from a video file.

    An image that cannot be read is passed over: it keeps its number in the stream, the next
    frame's `skipped` counts it, and `unreadable` names it.

    Args:
        path: a folder of JPEG, PNG, BMP or TIFF files, one such file, or a video that OpenCV reads.
        loop: begin again at the end instead of ending; numbers go on counting.

    Attributes:
        unreadable: the images passed over since `open`, in the order met.
    """

    is_live = False

    def __init__(self, path: Path | str, loop: bool = False) -> None:
        self.name = f"replay:{path}"
        self.unreadable: list[Path] = []
        self._path = Path(path)
        self._loop = loop
        self._source: _ImageList | _Video | None = None
        self._next = 0
        self._delivered = False

    def open(self) -> None:
        """Look through the folder, or open the video; opening again starts from the beginning.

        Raises:
            CameraError: the path is missing, the folder holds no images, or the video cannot be
                read.
        """
        self.close()
        self.unreadable = []
        self._next = 0
        self._delivered = False
        if not self._path.exists():
            raise CameraError(
                "A replay needs an existing folder of images or a video file",
                got=f"{self._path}, which does not exist",
                next_step="Check the path",
            )
        if self._path.is_dir() or is_image_name(self._path):
            self._source = _ImageList(self._path)
        else:
            self._source = _Video(self._path)

    def read(self, timeout_s: float = 3.0) -> Frame | None:
        """Read the next image; a replay runs as fast as it is read.

        Args:
            timeout_s: not used; files are not waited for.

        Returns:
            The frame, its time being that of reading, or None at the end.

        Raises:
            CameraError: the replay is not open, or none of its images can be read.
        """
        source = self._source
        if source is None:
            raise self.not_open()
        skipped = 0
        rewound = False
        while True:
            try:
                pixels = source.read()
            except ImageFileError:
                skipped += 1
                if source.last not in self.unreadable:
                    self.unreadable.append(source.last)
                continue
            if pixels is not None:
                break
            if rewound or not (self._loop or self._delivered):
                raise CameraError(
                    "A replay holds at least one readable image",
                    got=f"{self._path}, where none of {len(self.unreadable)} could be read",
                    next_step="Check the files, for example that they were copied whole",
                )
            if not self._loop:
                return None
            source.rewind()
            rewound = True
        self._delivered = True
        number = self._next + skipped
        self._next = number + 1
        return Frame(pixels, sequence=number, captured_s=time.monotonic(), skipped=skipped)

    def close(self) -> None:
        """Let go of the files."""
        if self._source is not None:
            self._source.close()
            self._source = None


class _ImageList:
    """The images of a folder, or a single one."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            found = [entry for entry in path.iterdir() if is_image_name(entry) and entry.is_file()]
            self._files = sorted(found, key=natural_order)
        else:
            self._files = [path]
        if not self._files:
            raise CameraError(
                "A replayed folder holds JPEG, PNG, BMP or TIFF images",
                got=f"{path}, which holds none",
                next_step="Choose the folder that the images are directly in",
            )
        self.last = path
        self._place = 0

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next image, or None at the end; raise ImageFileError and go on after it."""
        if self._place >= len(self._files):
            return None
        self.last = self._files[self._place]
        self._place += 1
        return read_image(self.last)

    def rewind(self) -> None:
        self._place = 0

    def close(self) -> None:
        self._place = len(self._files)


class _Video:
    """A video file; its first frame is read ahead, so that a broken file is found on opening."""

    def __init__(self, path: Path) -> None:
        self.last = path
        self._capture = _open_video(path)
        self._ahead = self._decode()
        if self._ahead is None:
            self._capture.release()
            raise CameraError(
                "A replayed video is one that OpenCV can decode",
                got=str(path),
                next_step="Convert it, for example to Motion JPEG in an AVI file",
            )

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next frame, or None at the end."""
        if self._ahead is not None:
            pixels, self._ahead = self._ahead, None
            return pixels
        return self._decode()

    def rewind(self) -> None:
        """Open the file again: seeking to the start is not exact in every container."""
        self._capture.release()
        self._capture = _open_video(self.last)

    def close(self) -> None:
        self._capture.release()

    def _decode(self) -> NDArray[np.uint8] | None:
        with quiet_opencv():
            good, image = self._capture.read()
        if not good:
            return None
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _open_video(path: Path) -> cv2.VideoCapture:
    with quiet_opencv():
        return cv2.VideoCapture(str(path))
