"""Which cameras are connected."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_SYSFS = Path("/sys/class/video4linux")

# Video devices that are not cameras to open with Video4Linux: the Raspberry Pi's image processors,
# codecs, and the receivers of its camera connector, which libcamera drives.
_NOT_CAMERAS = (
    "bcm2835-codec",
    "bcm2835-isp",
    "bcm2835-unicam",
    "pispbe",
    "rp1-cfe",
    "rpi-hevc",
    "rpivid",
    "unicam",
)


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that is connected.

    Attributes:
        kind: the kind to open it with, as in `CAMERA_KINDS`.
        address: its number for "picamera2", its device path for "usb".
        description: its name as the system tells it.
    """

    kind: str
    address: str
    description: str


def find_cameras() -> list[FoundCamera]:
    """List the connected cameras, those of the camera connector first; never raises."""
    return find_connector_cameras() + find_usb_cameras()


def find_connector_cameras() -> list[FoundCamera]:
    """List the cameras that picamera2 knows; none where it is absent or fails. Never raises."""
    try:
        listed = import_module("picamera2").Picamera2.global_camera_info()
        return [
            FoundCamera("picamera2", str(number), str(info.get("Model", "unknown model")))
            for number, info in enumerate(listed)
            if "/usb" not in str(info.get("Id", ""))
        ]
    except Exception:  # whatever ails an installed picamera2, the other cameras are still listed
        return []


def picamera2_fault() -> str | None:
    """Return why an installed picamera2 cannot be used; None if it can, or is absent."""
    try:
        if find_spec("picamera2") is None:
            return None
        import_module("picamera2").Picamera2.global_camera_info()
    except Exception as error:  # a numpy of another ABI, a missing libcamera, a broken driver
        return f"{type(error).__name__}: {error}"
    return None


def find_usb_cameras(sysfs: Path = _SYSFS) -> list[FoundCamera]:
    """List the Video4Linux devices that are cameras, by number; never raises.

    A USB camera has a second device for metadata, which is left out.

    Args:
        sysfs: the folder in which the kernel lists video devices.
    """
    try:
        nodes = [node for node in sysfs.iterdir() if node.name.removeprefix("video").isdecimal()]
    except OSError:
        return []
    cameras = []
    for node in sorted(nodes, key=lambda node: int(node.name.removeprefix("video"))):
        name = _first_line(node / "name")
        second = _first_line(node / "index") not in ("", "0")
        if not name.startswith(_NOT_CAMERAS) and not second:
            cameras.append(FoundCamera("usb", f"/dev/{node.name}", name or "unnamed"))
    return cameras


def _first_line(path: Path) -> str:
    """Return the first line of a file of the kernel's, or nothing where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
