"""USB cameras and microscopes, through OpenCV and Video4Linux."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cameras.base import Camera, Frame
from edge.cameras.discovery import find_usb_cameras
from edge.cameras.quiet import quiet_opencv
from edge.errors import CameraError

_OPEN_TIMEOUT_S = 10.0
# OpenCV's Video4Linux backend gives up a read after 10 s by itself.
_CLOSE_TIMEOUT_S = 12.0
_FAILED_READS = 5
_PAUSE_AFTER_FAILURE_S = 0.02


class UsbCamera(Camera):
    """Frames from a USB camera; the newest frame is handed out, older ones are counted as skipped.

    OpenCV's `VideoCapture.read` blocks, and its Video4Linux backend refuses the timeout properties
    that others have, so a thread reads the camera and the time limits are kept outside of it.

    Args:
        device: the camera's number, or its path such as "/dev/video0".
        width: the asked width in pixels; the camera may deliver another.
        height: the asked height in pixels; the camera may deliver another.
    """

    def __init__(self, device: int | str = 0, width: int = 640, height: int = 480) -> None:
        given = str(device)
        self._path = f"/dev/video{given}" if given.isdecimal() else given
        self.name = f"usb:{self._path}"
        self._size = (width, height)
        self._reader: _Reader | None = None

    def open(self) -> None:
        """Open the device and start reading it.

        Raises:
            CameraError: the device is absent, held by another program, or does not answer.
        """
        self.close()
        reader = _Reader(self._path, self._size)
        reader.start()
        if not reader.tried.wait(_OPEN_TIMEOUT_S) or not reader.is_ready:
            reader.stop()
            raise CameraError(
                f"{self._path} is a camera that can be opened",
                got=_describe_devices(self._path),
                next_step="Plug the camera in, choose one of the cameras that exist, or close the "
                "program that uses it",
            )
        self._reader = reader

    def read(self, timeout_s: float = 3.0) -> Frame:
        """Wait for a frame newer than the one before.

        Args:
            timeout_s: the longest wait in seconds.

        Returns:
            The newest frame; its time is that of its arrival.

        Raises:
            CameraError: no frame came within the time, the camera went away, or it is not open.
        """
        if self._reader is None:
            raise self.not_open()
        frame = self._reader.newest(timeout_s)
        if frame is None:
            gone = self._reader.ended
            raise CameraError(
                f"{self.name} delivers a frame within {timeout_s:g} s",
                got="a camera that stopped answering" if gone else "none",
                next_step="Check the cable, then open the camera again",
            )
        return frame

    def close(self) -> None:
        """Stop reading and release the device."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()


class _Reader(threading.Thread):
    """Reads a device until told to stop; the device is opened and released in this thread."""

    def __init__(self, path: str, size: tuple[int, int]) -> None:
        super().__init__(name=f"camera {path}", daemon=True)
        self.tried = threading.Event()
        self.is_ready = False
        self.ended = False
        self._path = path
        self._size = size
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._pixels: NDArray[np.uint8] | None = None
        self._captured_s = 0.0
        self._number = -1
        self._last_read = -1

    def run(self) -> None:
        try:
            self._serve()
        except cv2.error:
            pass  # a device that OpenCV cannot go on with has ended, like one that was unplugged
        finally:
            self.tried.set()
            with self._changed:
                self.ended = True
                self._changed.notify_all()

    def newest(self, timeout_s: float) -> Frame | None:
        """Return the newest frame once; None when none came in time or the reading ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._pixels is not None or self.ended, timeout_s)
            if self._pixels is None:
                return None
            frame = Frame(
                pixels=self._pixels,
                sequence=self._number,
                captured_s=self._captured_s,
                skipped=self._number - self._last_read - 1,
            )
            self._pixels = None
            self._last_read = self._number
            return frame

    def stop(self) -> None:
        """Ask the thread to end, and wait until it has released the device."""
        self._stopping.set()
        self.join(_CLOSE_TIMEOUT_S)

    def _serve(self) -> None:
        capture = _open_device(self._path, self._size)
        try:
            self.is_ready = capture.isOpened()
            self.tried.set()
            if self.is_ready:
                self._pump(capture)
        finally:
            capture.release()

    def _pump(self, capture: cv2.VideoCapture) -> None:
        failures = 0
        while not self._stopping.is_set():
            good, image = capture.read()
            captured_s = time.monotonic()
            if not good:
                failures += 1
                if failures == _FAILED_READS:
                    return
                time.sleep(_PAUSE_AFTER_FAILURE_S)
                continue
            failures = 0
            pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            with self._changed:
                self._pixels = pixels
                self._captured_s = captured_s
                self._number += 1
                self._changed.notify_all()


def _open_device(path: str, size: tuple[int, int]) -> cv2.VideoCapture:
    """Open a device and ask for a frame size; the caller checks `isOpened`."""
    with quiet_opencv():
        capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    return capture


def _describe_devices(path: str) -> str:
    """Say what is wrong with a device and which cameras exist."""
    found = find_usb_cameras()
    exist = ", ".join(f"{camera.address} ({camera.description})" for camera in found)
    trouble = "which does not answer" if Path(path).exists() else "which does not exist"
    return f"{path}, {trouble}; cameras that exist: {exist or 'none'}"
