"""What the tests of cameras show them, and a device that is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cameras import usb
from tests.edge import camera_contract

WIDTH, HEIGHT = 96, 64
FIELD = camera_contract.red_and_blue(WIDTH, HEIGHT)


def write(path: Path, pixels: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path


def write_video(path: Path, pixels: list[np.ndarray]) -> Path:
    height, width = pixels[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (width, height))
    assert writer.isOpened()
    for image in pixels:
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def grey(value: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


class StubCapture:
    """Stands for cv2.VideoCapture on a device; delivers BGR and then fails or falls silent."""

    def __init__(self, frames: list[np.ndarray] | None = None, opened: bool = True) -> None:
        self.silence = threading.Event()
        self.frames = frames
        self.number = 0
        self.is_released = False
        self._opened = opened

    def isOpened(self) -> bool:  # noqa: N802
        return self._opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        if self.frames is None:
            time.sleep(0.001)
            return True, np.ascontiguousarray(FIELD[..., ::-1])
        if self.number < len(self.frames):
            self.number += 1
            return True, np.ascontiguousarray(self.frames[self.number - 1][..., ::-1])
        self.silence.wait(5.0)
        return False, None

    def release(self) -> None:
        self.is_released = True


def use_capture(monkeypatch: pytest.MonkeyPatch, make: Callable[[], StubCapture]) -> None:
    monkeypatch.setattr(usb, "_open_device", lambda path, size: make())
