"""The one-file model: a TFLite file that carries its labels, preprocessing and card.

The file is three things at once, so that nothing can be mismatched:

* a TFLite model, which any TFLite runtime runs;
* with standard TFLite Metadata, which MediaPipe's ImageClassifier reads;
* with a zip archive behind it that holds `labels.txt`, `blastscope.json` (the card) and golden
  frames, which `unzip -l` lists and Python's `zipfile` reads with no further package.

docs/model-file.md describes every byte of it.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cell_crop import CellCrop, read_cell_crop
from edge.errors import ModelFileError
from edge.model_archive import CARD_NAME, LABELS_NAME, split_archive
from edge.model_card import (
    FORMAT_VERSION,
    PREPROCESSING_METHOD,
    check_labels,
    check_parts,
    parse_card,
)

if TYPE_CHECKING:
    from edge.trust import TrustStore

__all__ = [
    "CARD_NAME",
    "FORMAT_VERSION",
    "LABELS_NAME",
    "PREPROCESSING_METHOD",
    "ModelFile",
    "parse_model_file",
    "read_model_file",
    "read_tflite_bytes",
]

#: Some twenty times the largest model that blastscope makes; read whole into memory.
_LARGEST_MODEL_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file, read and checked.

    Attributes:
        path: where it was read from.
        content: all of its bytes.
        digest: SHA-256 of the bytes, in hexadecimal.
        name: the network's name, such as "custom-cnn".
        version: counts up with each release of a model of that name, from 1 on.
        labels: the classes, in the order of the model's outputs.
        height: the network's input height in pixels.
        width: the network's input width in pixels.
        card: everything in `blastscope.json`.
        members: the content of the packed files, by name.
        graph_bytes: how many bytes at the beginning are the TFLite model alone.
        signed_by: fingerprint of the trusted key that signed it; None where no trust store is
            configured.
    """

    path: Path
    content: bytes
    digest: str
    name: str
    version: int
    labels: tuple[str, ...]
    height: int
    width: int
    card: Mapping[str, Any]
    members: Mapping[str, bytes]
    graph_bytes: int
    signed_by: str | None = None

    @property
    def cell(self) -> CellCrop | None:
        """The square that is cut out around a cell; None for a model that looks at fields."""
        return read_cell_crop(self.card["preprocessing"].get("cell"))

    @property
    def model_id(self) -> str:
        """The network's name and the first eight digits of the file's digest."""
        return f"{self.name}@{self.digest[:8]}"


def read_model_file(
    path: str | Path, trust: TrustStore | None = None, *, remember: bool = True
) -> ModelFile:
    """Read a one-file model, check all of its parts, and its signature where that is asked for.

    Args:
        path: a `.tflite` file as `blastscope quantize` or `blastscope pack` writes it.
        trust: whose signatures to accept; None takes the trust store that this machine has
            configured (see `edge.trust.configured_trust_store`), if any.
        remember: let the trust store refuse older versions from now on. An updater that may go
            back to the earlier model says False, and calls `TrustStore.remember` once the new
            one has proved itself.

    Returns:
        The model; its graph is not loaded yet.

    Raises:
        ModelFileError: absent, not TFLite, too large, without a card, or with a damaged part.
        SignatureError: a trust store is configured, and the model is not signed, was changed
            since, is signed by another key, or is older than one that was used before.
        TrustStoreError: the trust store cannot be used.
        MissingPackageError: a trust store is configured and `cryptography` is not installed.
    """
    from edge.trust import configured_trust_store

    path = Path(path)
    content = read_tflite_bytes(path)
    trust = trust or configured_trust_store()
    if trust is None:
        return parse_model_file(path, content)
    signature = trust.check_signature(path, content)
    model = parse_model_file(path, content)
    trust.check_version(model, signature)
    if remember:
        trust.remember(model)
    return replace(model, signed_by=signature.key_id)


def parse_model_file(path: Path, content: bytes) -> ModelFile:
    """Check a one-file model that is in memory, but for its signature.

    Args:
        path: what to call it; nothing is read.
        content: the bytes of the whole file.

    Raises:
        ModelFileError: a part is absent, damaged, or not as the card says.
    """
    archive = split_archive(path, content)
    card = parse_card(path, archive.members[CARD_NAME])
    # A damaged graph can end the process of the native runtime: it goes no further than here.
    check_parts(path, card, memoryview(content)[: archive.start], archive.members)
    check_labels(path, card, archive.members)
    return ModelFile(
        path=path,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        name=card["name"],
        version=card["model_version"],
        labels=tuple(card["labels"]),
        height=card["preprocessing"]["height"],
        width=card["preprocessing"]["width"],
        card=card,
        members=archive.members,
        graph_bytes=archive.start,
    )


def read_tflite_bytes(path: Path) -> bytes:
    """Return a TFLite file's bytes.

    Args:
        path: the file.

    Raises:
        ModelFileError: absent, unreadable, too large, or without TFLite's file identifier.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size > _LARGEST_MODEL_BYTES:
            raise ModelFileError(
                f"A model is at most {_LARGEST_MODEL_BYTES} bytes long",
                got=f"{path} with {status.st_size} bytes",
                next_step="Check that this is the right file",
            )
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            # Reading a pipe or a device might never end.
            raise OSError("neither a file nor a folder")
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
