"""Sources of frames: devices, replayed recordings and a simulation, under one interface.

Example:
    >>> with open_camera("replay", path="session-3/", loop=True) as camera:
    ...     for frame in camera.frames(limit=10):
    ...         print(frame.sequence, frame.pixels.shape)
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from edge.cameras.base import Camera, Frame
from edge.errors import CameraError

__all__ = ["CAMERA_KINDS", "Camera", "Frame", "open_camera"]

# A source's library is loaded with its module, so a module is imported only when it is chosen.
_HOMES = {
    "picamera2": ("edge.cameras.picamera2", "Picamera2Camera"),
    "usb": ("edge.cameras.usb", "UsbCamera"),
    "mjpeg": ("edge.cameras.mjpeg", "MjpegCamera"),
    "replay": ("edge.cameras.replay", "ReplayCamera"),
    "simulated": ("edge.cameras.simulated", "SimulatedCamera"),
}

#: The kinds that `open_camera` knows, in the order in which they are listed to a reader.
CAMERA_KINDS: tuple[str, ...] = tuple(_HOMES)


def open_camera(kind: str, **options: object) -> Camera:
    """Make a camera of a kind; `Camera.open`, or a `with` statement, takes hold of it.

    Args:
        kind: one of `CAMERA_KINDS`.
        **options: the arguments of that kind's class, such as `path` and `loop` for "replay",
            `device`, `width` and `height` for "usb", `url` for "mjpeg".

    Returns:
        The camera, not yet open.

    Raises:
        CameraError: the kind is unknown, or an option's value is out of its range.
    """
    if kind not in _HOMES:
        raise CameraError(
            "A camera is one of the known kinds",
            got=repr(kind),
            next_step=f"Choose one of {', '.join(CAMERA_KINDS)}",
        )
    module, name = _HOMES[kind]
    make = getattr(import_module(module), name)
    return cast(Camera, make(**options))
