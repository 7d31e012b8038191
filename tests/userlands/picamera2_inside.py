"""Runs the contracts beside a real picamera2, inside the userland; prints one JSON object."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

# Modules that picamera2 imports for previews, raw images and encoding, none of which is used here.
UNUSED = (
    "av",
    "jsonschema",
    "libarchive",
    "pidng",
    "pidng.camdefs",
    "pidng.core",
    "prctl",
    "pykms",
)
UNUSED += ("tqdm",)


def load_picamera2() -> ModuleType:
    """Import picamera2 and adapt it to a camera without raw modes and without a dma-heap."""
    for name in UNUSED:
        sys.modules[name] = MagicMock(name=name)
    import picamera2
    import picamera2.picamera2 as implementation
    from picamera2.allocators import LibcameraAllocator

    class VirtualPicamera2(implementation.Picamera2):
        """The real class, for libcamera's virtual pipeline, which refuses the raw role."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            # The allocator must know the camera; picamera2's own needs one plane a buffer, which
            # the virtual pipeline does not survive.
            self.allocator.camera = self.camera

        def _get_raw_modes(self) -> list[dict[str, Any]]:
            return [{"format": "NV12", "size": (640, 480)}]

    implementation.DmaAllocator = lambda: LibcameraAllocator(None)
    picamera2.Picamera2 = VirtualPicamera2
    return picamera2


def outcome(check: Callable[[Any], None], subject: object) -> str:
    """Run one check; return "" or the traceback."""
    try:
        check(subject)
    except Exception:
        return traceback.format_exc()
    return ""


def check_names_are_of_little_endian_words(library: ModuleType) -> None:
    """Show that BGR888 lies in memory as R, G, B, and RGB888 as B, G, R; rows are unpadded."""
    import numpy as np

    width, height, stride = 4, 2, 16
    memory = np.zeros((height, stride), np.uint8)
    memory[:, : width * 3] = np.tile([10, 20, 30], width)
    with library.Picamera2(0) as camera:
        for pixel_format, red in (("BGR888", 10), ("RGB888", 30)):
            stream = {"format": pixel_format, "size": (width, height), "stride": stride}
            array = camera.helpers.make_array(memory.ravel(), stream)
            image = camera.helpers.make_image(array.ravel(), {**stream, "stride": width * 3})
            assert array.shape == (height, width, 3), array.shape
            assert array[0, 0].tolist() == [10, 20, 30]
            assert image.getpixel((0, 0))[0] == red, image.getpixel((0, 0))


def main() -> None:
    """Run everything and report."""
    library = load_picamera2()
    import camera_contract
    import picamera2_contract

    from edge.cameras.base import Camera
    from edge.cameras.picamera2 import Picamera2Camera

    def with_stills() -> Camera:
        return Picamera2Camera(still_size=(640, 480))

    results: dict[str, str] = {}
    for check in picamera2_contract.CHECKS:
        results[f"picamera2.{check.__name__}"] = outcome(check, library)
    check = check_names_are_of_little_endian_words
    results[f"picamera2.{check.__name__}"] = outcome(check, library)
    for check in (*camera_contract.CHECKS, camera_contract.check_left_is_red_and_right_is_blue):
        results[f"camera.{check.__name__}"] = outcome(check, Picamera2Camera)
        results[f"stills.{check.__name__}"] = outcome(check, with_stills)
    results["stills.check_stills"] = outcome(camera_contract.check_stills, with_stills)
    import libcamera
    import numpy

    versions = {
        "libcamera": libcamera.CameraManager.singleton().version,
        "numpy": numpy.__version__,
    }
    with contextlib.suppress(Exception):
        from importlib.metadata import version

        versions["picamera2"] = version("picamera2")
    sys.stdout.write(json.dumps({"versions": versions, "results": results}) + "\n")
    sys.stdout.flush()
    # libcamera's threads may outlive the interpreter's teardown and crash it.
    os._exit(0)


if __name__ == "__main__":
    main()
