"""Loading picamera2, and what it raises."""

from __future__ import annotations

from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

from edge.errors import MissingPackageError

#: What picamera2 raises from a camera in a wrong state or gone; OSError and KeyError come from
#: libcamera's bindings, IndexError from earlier releases of picamera2 without a camera.
FAILURES = (RuntimeError, OSError, LookupError, ValueError, AttributeError, CancelledError)


def load_library() -> Any:
    """Import picamera2 and return its class."""
    try:
        return import_module("picamera2").Picamera2
    except ImportError as error:
        raise MissingPackageError(
            "The Raspberry Pi's camera needs picamera2, from Raspberry Pi OS's own packages",
            got=error,
            next_step="Run `sudo apt install python3-picamera2`, and make the environment of "
            "blastscope with `python3 -m venv --system-site-packages`",
        ) from error
    except Exception as error:  # a numpy of another ABI raises ValueError, a broken library OSError
        raise MissingPackageError(
            "picamera2 loads together with the numpy of this environment",
            got=f"{type(error).__name__}: {error}",
            next_step="Remove numpy from the environment so that Raspberry Pi OS's own is used",
        ) from error


def close_quietly(device: Any) -> None:
    """Close a device whose hardware may be gone: there is nothing left to do when that fails."""
    try:
        device.close()
    except FAILURES:
        return
