"""Keeping OpenCV's own messages off the screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2

_FFMPEG_LEVEL = "OPENCV_FFMPEG_LOGLEVEL"
_FFMPEG_QUIET = "-8"
_SILENT = 0


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV and its FFmpeg while a source is opened; its errors are raised by us instead.

    FFmpeg's level is read once, when OpenCV first uses it; a level that the environment already
    names is left alone.
    """
    level = _set_level(_SILENT)
    ours = _FFMPEG_LEVEL not in os.environ
    if ours:
        os.environ[_FFMPEG_LEVEL] = _FFMPEG_QUIET
    try:
        yield
    finally:
        if ours:
            os.environ.pop(_FFMPEG_LEVEL, None)
        _set_level(level)


def _set_level(level: int) -> int:
    """Set OpenCV's log level and return the one before; OpenCV 5 moved the function."""
    set_level: Callable[[int], int] | None = getattr(cv2, "setLogLevel", None)
    return (set_level or cv2.utils.logging.setLogLevel)(level)
