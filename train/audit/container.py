"""What an image file tells before its pixels are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.image_file import decode_image

_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_FORMATS = {
    _JPEG_START: "JPEG",
    _PNG_START: "PNG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}

#: Markers of ITU-T T.81, table B.1: quantization tables, start of scan, and starts of frame, which
#: are SOF0 to SOF15 less the three codes that mean something else.
_QUANTIZATION_TABLES = 0xDB
_START_OF_SCAN = 0xDA
_STARTS_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Container:
    """The outside of an image file.

    Attributes:
        format: JPEG, PNG, BMP, TIFF or unknown, by the first bytes and not by the name.
        size: of the whole file in bytes.
        height: in pixels, as stored.
        width: in pixels, as stored.
        header_size: bytes before the first scan of a JPEG; 0 for other formats.
        luma_step: mean of a JPEG's first quantization table; larger is coarser; 0 for others.
        chroma_step: mean of a JPEG's second quantization table; 0 where there is none.
    """

    format: str
    size: int
    height: int
    width: int
    header_size: int
    luma_step: float
    chroma_step: float

    def features(self) -> tuple[float, ...]:
        """Return the numbers that a classifier could use, in the order of the attributes."""
        return (
            float(sorted({*_FORMATS.values(), "unknown"}).index(self.format)),
            float(self.size),
            float(self.height),
            float(self.width),
            float(self.header_size),
            self.luma_step,
            self.chroma_step,
        )


def file_format(data: bytes) -> str:
    """Name the format of an image file by its first bytes."""
    return next((name for start, name in _FORMATS.items() if data.startswith(start)), "unknown")


def read_container(data: bytes, name: str) -> Container:
    """Read the outside of an image file that is known to be readable.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Raises:
        ImageFileError: no image.
    """
    kind = file_format(data)
    header_size, tables, size = _jpeg_header(data) if kind == "JPEG" else (0, {}, None)
    if kind == "PNG":
        # ISO/IEC 15948, 11.2.2: width and height are the first fields of the first chunk.
        size = int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    height, width = size or decode_image(data, name).shape[:2]
    return Container(
        format=kind,
        size=len(data),
        height=height,
        width=width,
        header_size=header_size,
        luma_step=tables.get(0, 0.0),
        chroma_step=tables.get(1, 0.0),
    )


def _jpeg_header(data: bytes) -> tuple[int, dict[int, float], tuple[int, int] | None]:
    """Walk a JPEG's segments up to its first scan (ITU-T T.81, annex B).

    Returns:
        The header's length in bytes, the mean of each quantization table by its number, and
        (height, width) where a frame header gives them.
    """
    tables: dict[int, float] = {}
    size = None
    position = len(_JPEG_START)
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        body = data[position + 4 : position + 2 + length]
        if marker == _START_OF_SCAN:
            break
        if marker == _QUANTIZATION_TABLES:
            tables |= _table_means(body)
        elif marker in _STARTS_OF_FRAME:
            size = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        position += 2 + length
    return position, tables, size


def _table_means(body: bytes) -> dict[int, float]:
    """Return the mean step of each quantization table in one segment, by the table's number."""
    means = {}
    position = 0
    while position < len(body):
        precision, number = body[position] >> 4, body[position] & 15
        dtype = np.dtype(">u2") if precision else np.dtype(np.uint8)
        steps = np.frombuffer(body[position + 1 : position + 1 + 64 * dtype.itemsize], dtype)
        if steps.size != 64:
            break
        means[number] = float(steps.mean())
        position += 1 + 64 * dtype.itemsize
    return means
