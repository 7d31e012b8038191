"""What a file's outside tells."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from train.audit.container import read_container

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def encoded(suffix: str, *parameters: int) -> bytes:
    return cv2.imencode(suffix, NOISE, parameters)[1].tobytes()


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".jpg", "JPEG"), (".png", "PNG"), (".bmp", "BMP"), (".tiff", "TIFF")]
)
def test_format_and_pixels_of_every_kind(suffix: str, kind: str) -> None:
    data = encoded(suffix)
    container = read_container(data, "image")
    assert (container.format, container.size) == (kind, len(data))
    assert (container.height, container.width) == (40, 60)
    assert (container.luma_step > 0) == (kind == "JPEG")


def test_quantization_tables_are_those_of_the_standard() -> None:
    """ITU-T T.81, tables K.1 and K.2, whose means are 57.625 and 84.984; libjpeg's quality 50."""
    container = read_container(encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 50), "image")
    assert container.luma_step == pytest.approx(57.625)
    assert container.chroma_step == pytest.approx(88.5, abs=4)
    best = read_container(encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 100), "image")
    assert (best.luma_step, best.chroma_step) == (1.0, 1.0)


def test_header_grows_with_what_is_in_it() -> None:
    data = encoded(".jpg")
    comment = b"\xff\xfe\x00\x0chello there"[:14]
    longer = data[:2] + comment + data[2:]
    before, after = read_container(data, "image"), read_container(longer, "image")
    assert after.header_size == before.header_size + len(comment)
    assert before.header_size == data.index(b"\xff\xda")
    assert len(before.features()) == len(after.features()) == 7


def test_thumbnail_in_the_header_is_not_taken_for_the_image() -> None:
    small = cv2.imencode(".jpg", NOISE[:8, :8], (cv2.IMWRITE_JPEG_QUALITY, 5))[1].tobytes()
    data = encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 90)
    thumbnail = b"\xff\xe1" + (2 + len(small)).to_bytes(2, "big") + small
    container = read_container(data[:2] + thumbnail + data[2:], "image")
    assert (container.height, container.width) == (40, 60)
    assert container.luma_step == read_container(data, "image").luma_step
