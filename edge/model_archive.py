"""The zip archive behind a model's graph: written in one form, and read in no other.

Every byte of the archive follows from the names and contents of its members, so that a reader can
build it anew and compare. What a zip archive could hide besides (compressed giants, comments,
extra fields, members twice or outside the folder, bytes between or behind them) is refused by that
one comparison, and nothing is unpacked.

The form is that of APPNOTE.TXT, ".ZIP File Format Specification", version 6.3.10, sections 4.3.7,
4.3.12 and 4.3.16, with the fixed values below; they are what Python's `zipfile` writes.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelFileError

#: Names of the files packed into the model.
LABELS_NAME = "labels.txt"
CARD_NAME = "blastscope.json"
DOMAIN_NAME = "domain.f16"
GOLDEN_NAME = "golden/{}.png"

#: More golden frames than this are no handful.
MOST_GOLDEN_FRAMES = 16

#: The largest that each kind of member may be, in bytes.
LARGEST_LABELS_BYTES = 256 * 2**10
LARGEST_CARD_BYTES = 2**20
LARGEST_FRAME_BYTES = 2**20
LARGEST_DOMAIN_BYTES = 2**20

PACK_COMMAND = "blastscope pack PLAIN.tflite --labels A,B,C --out MODEL.tflite"
_COPY_AGAIN = "Copy the model again from where it was made"

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

_VERSION_NEEDED = 20
_MADE_BY = 3 << 8 | 20
_STORED = 0
#: 1 January 1980, midnight.
_TIME, _DATE = 0, 1 << 5 | 1
_ATTRIBUTES = 0o600 << 16


@dataclass(frozen=True, slots=True)
class Archive:
    """The parts of a model file.

    Attributes:
        start: where the archive begins, in bytes; the graph lies before it.
        members: the content of each packed file, by name, in the order in which they lie.
    """

    start: int
    members: Mapping[str, bytes]


def build_archive(start: int, members: Mapping[str, bytes]) -> bytes:
    """Build the archive that belongs behind a graph.

    Args:
        start: how many bytes lie before it.
        members: the content of each file, by name, in order.
    """
    body, directory = bytearray(), bytearray()
    for name, data in members.items():
        encoded = name.encode()
        common = (0, _STORED, _TIME, _DATE, zlib.crc32(data), len(data), len(data), len(encoded))
        directory += _CENTRAL.pack(
            *(_CENTRAL_MARK, _MADE_BY, _VERSION_NEEDED, *common),
            *(0, 0, 0, 0, _ATTRIBUTES, start + len(body)),
        )
        directory += encoded
        body += _LOCAL.pack(_LOCAL_MARK, _VERSION_NEEDED, *common, 0) + encoded + data
    count = len(members)
    end = _END.pack(_END_MARK, 0, 0, count, count, len(directory), start + len(body), 0)
    return bytes(body + directory + end)


def split_archive(path: Path, content: bytes) -> Archive:
    """Take a model file apart.

    Args:
        path: what to call it; nothing is read.
        content: the bytes of the whole file.

    Raises:
        ModelFileError: it has no archive, or not exactly the archive that `build_archive` makes
            of the members which a model has.
    """
    directory_start, count = _read_end(path, content)
    place, offsets, members = directory_start, [], {}
    for _ in range(count):
        name, offset, size, crc, place = _read_entry(path, content, place)
        if name in members:
            raise _refuse(path, f"{name} twice")
        data_start = offset + _LOCAL.size + len(name)
        data = content[data_start : data_start + size]
        if len(data) != size or data_start + size > directory_start:
            raise _refuse(path, f"{name} reaching out of its place")
        if zlib.crc32(data) != crc:
            raise ModelFileError(
                f"The files packed into {path} must be undamaged",
                got=f"{name} with a wrong checksum",
                next_step=_COPY_AGAIN,
            )
        offsets.append(offset)
        members[name] = data
    fixed = [LABELS_NAME, CARD_NAME, *([DOMAIN_NAME] if DOMAIN_NAME in members else [])]
    names = [*fixed, *(GOLDEN_NAME.format(i) for i in range(count - len(fixed)))]
    if set(members) != set(names):
        raise _refuse(path, f"only {', '.join(members)}")
    if list(members) != names:
        raise _refuse(path, f"the order {', '.join(members)}")
    start = offsets[0]
    if build_archive(start, members) != content[start:]:
        raise _refuse(path, "something else in or between its entries")
    return Archive(start, members)


def _read_end(path: Path, content: bytes) -> tuple[int, int]:
    """Return where the archive's directory starts, and how many entries it has."""
    if CARD_NAME.encode() not in content:
        raise ModelFileError(
            f"The model {path} must carry its labels and preprocessing",
            got=f"a plain TFLite file without {CARD_NAME} and {LABELS_NAME}",
            next_step=f"Add them with `{PACK_COMMAND}`",
        )
    end = len(content) - _END.size
    fields = _END.unpack(content[end:]) if end >= 0 else (b"",) * 8
    mark, _, _, _, count, size, directory_start, comment = fields
    if mark != _END_MARK or comment:
        raise ModelFileError(
            f"The model {path} must end where its archive ends",
            got="a file that is cut off, or has something behind",
            next_step=_COPY_AGAIN,
        )
    if not 2 <= count <= 3 + MOST_GOLDEN_FRAMES:
        raise _refuse(path, f"{count} files")
    if directory_start + size != end:
        raise _refuse(path, "a directory that is not before its end")
    return directory_start, count


def _read_entry(path: Path, content: bytes, place: int) -> tuple[str, int, int, int, int]:
    """Return an entry's name, offset, size, checksum, and where the next entry starts."""
    fixed = content[place : place + _CENTRAL.size]
    if len(fixed) < _CENTRAL.size or not fixed.startswith(_CENTRAL_MARK):
        raise _refuse(path, "a damaged directory")
    fields = _CENTRAL.unpack(fixed)
    method, crc, packed, size, name_length = fields[4], *fields[7:11]
    next_place = place + _CENTRAL.size + name_length
    name = content[place + _CENTRAL.size : next_place].decode("ascii", "backslashreplace")
    limit = largest_bytes(name)
    if limit is None:
        raise _refuse(path, f"a file named {name[:80]!r}")
    if method != _STORED or packed != size:
        raise _refuse(path, f"{name} compressed")
    if size > limit:
        raise _refuse(path, f"{name} longer than {limit} bytes")
    return name, fields[-1], size, crc, next_place


def largest_bytes(name: str) -> int | None:
    """Return how large a member may be in bytes; None where no member has that name."""
    if name == LABELS_NAME:
        return LARGEST_LABELS_BYTES
    if name == CARD_NAME:
        return LARGEST_CARD_BYTES
    if name == DOMAIN_NAME:
        return LARGEST_DOMAIN_BYTES
    if re.fullmatch(r"golden/(0|[1-9][0-9]?)\.png", name, re.ASCII):
        return LARGEST_FRAME_BYTES
    return None


def _refuse(path: Path, got: str) -> ModelFileError:
    return ModelFileError(
        f"The archive in {path} must hold {LABELS_NAME}, {CARD_NAME}, {DOMAIN_NAME} if there is "
        "one, and golden frames, stored one after the other, and nothing else",
        got=got,
        next_step=_COPY_AGAIN,
    )
