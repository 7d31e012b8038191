"""A real picamera2 over a real libcamera, with no camera: Debian trixie in a folder.

libcamera's virtual pipeline serves a picture as if it were a camera. What it takes:

- a root made by debootstrap, kept under $BLASTSCOPE_USERLANDS (default
  ~/.cache/blastscope/userlands), about half a gigabyte, made on first use in a minute or two;
- the right to chroot, so root's, and a C compiler for the stand-in of the kernel's dma-heap;
- the network, on first use only.

Its limits: NV12 alone, no raw stream, no exposure or white balance, and frames without pacing.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.userlands.root import UserlandError, folder, mirror, remove, run

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SUITE = "trixie"
PYTHON = "3.13"
DEBIAN_PACKAGES = ("python3-libcamera", "python3-numpy")
# OpenCV's oldest release that is supported is tried here; the newest is tried outside.
BINARY_PACKAGES = ("opencv-python-headless==4.11.0.86", "pillow", "piexif", "simplejpeg")
BINARY_PACKAGES += ("videodev2",)
SOURCE_PACKAGES = ("picamera2==0.3.38",)
RECIPE = "1"

PIPELINE = "usr/share/libcamera/pipeline/virtual/virtual.yaml"
CONFIGURATION = """\
"Field":
  supported_formats:
  - width: 640
    height: 480
    frame_rates:
    - 30
    - 30
  frames:
    path: "/opt/blastscope/frames/"
  location: "CameraLocationBack"
  model: "Field"
"""
# libcamera 0.4.0's virtual pipeline leaves each frame's status uninitialised, and picamera2 drops
# frames by status: with fresh memory always zero, the status is success.
ZEROED_MEMORY = "glibc.malloc.perturb=255:glibc.malloc.tcache_count=0"


def root_folder() -> Path:
    """Return where the root lies, made or not."""
    return folder(f"{SUITE}-amd64")


def ensure_root() -> Path:
    """Return the root, making it if it is missing or of another recipe.

    Raises:
        UserlandError: something that it takes is missing, or a step failed.
    """
    if platform.machine() != "x86_64":
        raise UserlandError(f"the root is of x86-64, this machine is {platform.machine()}")
    for program in ("debootstrap", "chroot", "cc"):
        if shutil.which(program) is None:
            raise UserlandError(f"{program} is not installed")
    if os.geteuid() != 0:
        raise UserlandError("making and entering a root takes the superuser")
    root = root_folder()
    marker = Path("opt") / "blastscope-recipe"
    if (root / marker).is_file() and (root / marker).read_text().strip() == RECIPE:
        return root
    building = root.with_name(f"{root.name}.building")
    remove(building)
    building.parent.mkdir(parents=True, exist_ok=True)
    bootstrap = ["debootstrap", "--arch=amd64", "--variant=minbase", SUITE, str(building)]
    run([*bootstrap, *mirror()])
    _run_inside(building, ["apt-get", "update", "-qq"])
    install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends"]
    _run_inside(building, [*install, *DEBIAN_PACKAGES])
    _run_inside(building, ["apt-get", "clean"])
    site = building / "opt" / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site)]
    platforms = [f"--platform=manylinux{name}_x86_64" for name in ("2014", "_2_17", "_2_28")]
    binary = ["--only-binary=:all:", f"--python-version={PYTHON}", *platforms]
    run([*pip, *binary, *BINARY_PACKAGES])
    run([*pip, *SOURCE_PACKAGES])
    (building / marker).write_text(RECIPE)
    remove(root)
    building.rename(root)
    return root


def run_contracts(field: NDArray[np.uint8]) -> dict[str, Any]:
    """Run both contracts beside the real picamera2.

    Args:
        field: what the virtual camera shows: RGB, uint8, shape (480, 640, 3).

    Returns:
        "versions", by package, and "results", by check: "" or a traceback.

    Raises:
        UserlandError: the userland cannot be made, or the run gave no results.
    """
    root = ensure_root()
    home = root / "opt" / "blastscope"
    remove(home)
    (home / "frames").mkdir(parents=True)
    (home / "edge").mkdir()
    for name in ("__init__.py", "errors.py", "image_file.py", "labels.py"):
        shutil.copy(REPOSITORY / "edge" / name, home / "edge")
    cameras = REPOSITORY / "edge" / "cameras"
    shutil.copytree(cameras, home / "edge" / "cameras", ignore=shutil.ignore_patterns("__pyc*"))
    for path in (REPOSITORY / "tests" / "edge").glob("*_contract.py"):
        shutil.copy(path, home)
    shutil.copy(HERE / "picamera2_inside.py", home)
    (root / PIPELINE).parent.mkdir(parents=True, exist_ok=True)
    (root / PIPELINE).write_text(CONFIGURATION)
    # The pipeline hands a JPEG's full-range YCbCr on as it is, under a limited-range name.
    limited = np.rint(16 + field * (219 / 255)).astype(np.uint8)
    cv2.imwrite(str(home / "frames" / "0.jpg"), cv2.cvtColor(limited, cv2.COLOR_RGB2BGR))
    library = home / "dma_heap.so"
    run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(library), str(HERE / "dma_heap.c")])
    settings = [
        "LD_PRELOAD=/opt/blastscope/dma_heap.so",
        "LIBCAMERA_LOG_LEVELS=*:ERROR",
        f"GLIBC_TUNABLES={ZEROED_MEMORY}",
        "PYTHONPATH=/opt/blastscope:/opt/site",
    ]
    command = ["env", *settings, "python3", "-B", "/opt/blastscope/picamera2_inside.py"]
    output = _run_inside(root, command, timeout_s=120)
    try:
        report: dict[str, Any] = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise UserlandError(f"the run inside printed no results: {output[-2000:]}") from error
    return report


def _run_inside(root: Path, command: list[str], timeout_s: float = 600) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    return run(["chroot", str(root), *command], timeout_s, environment)


if __name__ == "__main__":
    sys.stdout.write(f"{ensure_root()}\n")
