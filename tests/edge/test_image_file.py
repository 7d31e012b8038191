"""Image files: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ImageFileError
from edge.image_file import list_images, read_image

RED = (200, 30, 10)


def write(path: Path, pixels: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def red_bgr() -> np.ndarray:
    return np.full((40, 60, 3), RED[::-1], np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".jpg", ".JPEG"])
def test_formats_are_read_in_rgb_order(tmp_path: Path, red_bgr: np.ndarray, suffix: str) -> None:
    pixels = read_image(write(tmp_path / f"red{suffix}", red_bgr))
    assert pixels.shape == (40, 60, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[20, 30].astype(int) - RED).max() <= 3


def test_every_truncation_of_a_jpeg_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = write(tmp_path / "whole.jpg", noise).read_bytes()
    for kept in (0, 1, 3, 100, len(data) // 2, len(data) - 2):
        path = tmp_path / "cut.jpg"
        path.write_bytes(data[:kept])
        with pytest.raises(ImageFileError, match="Got:"):
            read_image(path)


def test_damaged_jpeg_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """OpenCV itself gives half a picture and says so on standard error alone."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    data = bytearray(write(tmp_path / "whole.jpg", noise).read_bytes())
    path = tmp_path / "damaged.jpg"
    for damaged in (
        data[:9000] + bytes(3000) + data[12000:],
        data[: len(data) // 2] + b"\xff\xd9",
    ):
        path.write_bytes(damaged)
        with pytest.raises(ImageFileError, match=r"must be undamaged\. Got: .*JPEG"):
            read_image(path)
    assert capfd.readouterr().err == ""


def test_jpeg_may_have_a_thumbnail_and_a_trailer(tmp_path: Path, red_bgr: np.ndarray) -> None:
    data = write(tmp_path / "red.jpg", red_bgr).read_bytes()
    thumbnail = b"\xff\xe1" + (2 + len(data)).to_bytes(2, "big") + data
    path = tmp_path / "phone.jpg"
    path.write_bytes(data[:2] + thumbnail + data[2:] + b"video" * 4000)
    assert read_image(path).shape == (40, 60, 3)
    path.write_bytes(data[:2] + thumbnail + data[2:-2])
    with pytest.raises(ImageFileError, match="truncated"):
        read_image(path)


def test_path_may_be_a_word(tmp_path: Path, red_bgr: np.ndarray) -> None:
    assert read_image(str(write(tmp_path / "red.png", red_bgr))).shape == (40, 60, 3)


def test_truncated_png_is_refused(tmp_path: Path, red_bgr: np.ndarray) -> None:
    data = write(tmp_path / "whole.png", red_bgr).read_bytes()
    path = tmp_path / "cut.png"
    path.write_bytes(data[: len(data) - 20])
    with pytest.raises(ImageFileError, match="truncated"):
        read_image(path)


@pytest.mark.parametrize(
    ("name", "pixels", "got"),
    [
        ("grey.png", np.zeros((8, 8), np.uint8), "a grey image"),
        ("grey.jpg", np.zeros((8, 8), np.uint8), "a grey image"),
        ("transparent.png", np.zeros((8, 8, 4), np.uint8), "an RGBA image"),
        ("deep.png", np.zeros((8, 8, 3), np.uint16), "uint16 values"),
        ("deep.tif", np.zeros((8, 8, 3), np.uint16), "uint16 values"),
    ],
)
def test_other_kinds_of_image_are_refused(
    tmp_path: Path, name: str, pixels: np.ndarray, got: str
) -> None:
    with pytest.raises(ImageFileError, match=f"{name}.*Got: {got}.*Export"):
        read_image(write(tmp_path / name, pixels))


def test_text_named_as_an_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("no picture")
    with pytest.raises(ImageFileError, match="bytes that are no image"):
        read_image(path)


def test_absent_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match="No such file"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageFileError, match="a folder in its place"):
        read_image(tmp_path)


def test_listing_leaves_out_hidden_and_other_files(tmp_path: Path, red_bgr: np.ndarray) -> None:
    for name in ("b.png", "a.JPG", ".hidden.png"):
        write(tmp_path / name, red_bgr)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["a.JPG", "b.png"]
