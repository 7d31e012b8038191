"""The one-file model: a TFLite file that carries its labels, preprocessing and card.

The file is three things at once, so that nothing can be mismatched:

* a TFLite model, which any TFLite runtime runs;
* with standard TFLite Metadata, which MediaPipe's ImageClassifier reads;
* with a zip archive behind it that holds `labels.txt` and `blastscope.json` (the card), which
  `unzip -l` lists and Python's `zipfile` reads with no further package.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelFileError

#: Names of the files packed into the model.
CARD_NAME = "blastscope.json"
LABELS_NAME = "labels.txt"

#: The version of the card's format that this package writes and reads.
FORMAT_VERSION = 1

#: Identifies `edge.preprocess.preprocess`; a model made for another method is refused.
PREPROCESSING_METHOD = "centre-crop, area by a whole factor, linear exact"

_LARGEST_MODEL_BYTES = 256 * 2**20
_LARGEST_PACKED_BYTES = 4 * 2**20
_PACK = "blastscope pack PLAIN.tflite --labels A,B,C --out MODEL.tflite"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file, read and checked.

    Attributes:
        path: where it was read from.
        content: all of its bytes.
        digest: SHA-256 of the bytes, in hexadecimal.
        name: the network's name, such as "custom-cnn".
        labels: the classes, in the order of the model's outputs.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        card: everything in `blastscope.json`.
    """

    path: Path
    content: bytes
    digest: str
    name: str
    labels: tuple[str, ...]
    height: int
    width: int
    card: Mapping[str, Any]

    @property
    def model_id(self) -> str:
        """The network's name and the first eight digits of the file's digest."""
        return f"{self.name}@{self.digest[:8]}"


def read_model_file(path: str | Path) -> ModelFile:
    """Read a one-file model and check its card.

    Args:
        path: a `.tflite` file as `blastscope quantize` or `blastscope pack` writes it.

    Returns:
        The model; its graph is not loaded yet.

    Raises:
        ModelFileError: absent, not TFLite, too large, without a card, or with a damaged one.
    """
    path = Path(path)
    return parse_model_file(path, read_tflite_bytes(path))


def parse_model_file(path: Path, content: bytes) -> ModelFile:
    """Check the card of a one-file model that is in memory.

    Args:
        path: what to call it; nothing is read.
        content: the bytes of the whole file.

    Raises:
        ModelFileError: there is no card, or it is damaged.
    """
    members = _read_members(path, content)
    card = _parse_card(path, members[CARD_NAME])
    labels = tuple(card["labels"])
    if members[LABELS_NAME].decode("utf-8", "replace").split("\n")[: len(labels)] != list(labels):
        raise ModelFileError(
            f"The label file in {path} must agree with the card",
            got=members[LABELS_NAME][:200],
            next_step="Copy the model again from where it was made",
        )
    return ModelFile(
        path=path,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        name=card["name"],
        labels=labels,
        height=card["preprocessing"]["height"],
        width=card["preprocessing"]["width"],
        card=card,
    )


def read_tflite_bytes(path: Path) -> bytes:
    """Return a TFLite file's bytes.

    Args:
        path: the file.

    Raises:
        ModelFileError: absent, unreadable, too large, or without TFLite's file identifier.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST_MODEL_BYTES:
            raise ModelFileError(
                f"A model is at most {_LARGEST_MODEL_BYTES} bytes long",
                got=f"{path} with {size} bytes",
                next_step="Check that this is the right file",
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"The model {path} must be a readable file",
            got=error.strerror or error,
            next_step="Check the path; `blastscope quantize RUN --out MODEL.tflite` makes one",
        ) from error
    if content[4:8] != b"TFL3":
        raise ModelFileError(
            f"The model {path} must be a TFLite file",
            got=f"{len(content)} bytes that do not have TFLite's identifier TFL3",
            next_step="Pass the .tflite file that `blastscope quantize` wrote",
        )
    return content


def _read_members(path: Path, content: bytes) -> dict[str, bytes]:
    """Return the packed card and label file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: _read_member(archive, name) for name in (CARD_NAME, LABELS_NAME)}
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelFileError(
            f"The model {path} must carry its labels and preprocessing",
            got=f"a plain TFLite file without {CARD_NAME} and {LABELS_NAME}",
            next_step=f"Add them with `{_PACK}`",
        ) from error
    except (
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        raise ModelFileError(
            f"The files packed into {path} must be readable",
            got=error,
            next_step="Copy the model again from where it was made",
        ) from error


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        data = member.read(_LARGEST_PACKED_BYTES + 1)
    if len(data) > _LARGEST_PACKED_BYTES:
        raise ValueError(f"{name} is longer than {_LARGEST_PACKED_BYTES} bytes")
    return data


def _parse_card(path: Path, data: bytes) -> dict[str, Any]:
    """Check the card's fields that the runtime relies on."""
    try:
        card = json.loads(data)
        _check_card(card)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFileError(
            f"The card {CARD_NAME} in {path} must be complete",
            got=f"{type(error).__name__}: {error}",
            next_step="Make the model again, or copy it again from where it was made",
        ) from error
    return dict(card)


def _check_card(card: Any) -> None:
    if not isinstance(card, dict):
        raise TypeError("the card is not a JSON object")
    if card["format"] != FORMAT_VERSION:
        raise ValueError(f"format {card['format']!r}; this version reads {FORMAT_VERSION}")
    if not isinstance(card["name"], str) or not card["name"]:
        raise TypeError("the name is not a word")
    labels = card["labels"]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise TypeError("the labels are not a list of words")
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError("there must be two or more labels, all different")
    preprocessing = card["preprocessing"]
    if preprocessing["method"] != PREPROCESSING_METHOD:
        raise ValueError(f"unknown preprocessing {preprocessing['method']!r}")
    for side in ("height", "width"):
        size = preprocessing[side]
        if type(size) is not int or not 1 <= size <= 4096:
            raise ValueError(f"input {side} {size!r}")
