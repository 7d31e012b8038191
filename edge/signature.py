"""A model's signature: a small JSON file beside it, `MODEL.tflite.sig`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ChangedModelError, UnsignedModelError
from edge.key_files import fingerprint, read_private_key
from edge.model_file import ModelFile, parse_model_file, read_tflite_bytes
from edge.output import require_absent, whole_file

SIGNATURE_FORMAT = 1
ALGORITHM = "Ed25519"

#: Before everything that is signed, so that no signature made for another purpose fits.
DOMAIN = b"blastscope model signature, format 1\0"

_SIGNATURE_BYTES = 64
_LARGEST_SIGNATURE_FILE = 4096
_FIELDS = {
    "format": int,
    "algorithm": str,
    "key_id": str,
    "model_version": int,
    "sha256": str,
    "signature": str,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature file says; nothing of it is proven before `message` is verified.

    Attributes:
        key_id: fingerprint of the key.
        model_version: the model's version.
        sha256: of the whole model file, in hexadecimal.
        signature: 64 bytes.
    """

    key_id: str
    model_version: int
    sha256: str
    signature: bytes

    def encode(self) -> bytes:
        """Return the signature file's bytes; there is no other way to write the same."""
        fields = {
            "format": SIGNATURE_FORMAT,
            "algorithm": ALGORITHM,
            "key_id": self.key_id,
            "model_version": self.model_version,
            "sha256": self.sha256,
            "signature": base64.b64encode(self.signature).decode(),
        }
        return (json.dumps(fields, indent=1) + "\n").encode()


def signature_path(model: Path) -> Path:
    """Return where a model's signature lies."""
    return model.with_name(f"{model.name}.sig")


def message(content: bytes, model_version: int) -> bytes:
    """Return what is signed: the domain, the version as 8 bytes (big-endian), and a SHA-256.

    Args:
        content: the bytes of the whole model file.
        model_version: from its card.
    """
    return DOMAIN + model_version.to_bytes(8, "big") + hashlib.sha256(content).digest()


def sign_model(
    path: Path, private_key: Path, ask: Callable[[], str], *, overwrite: bool = False
) -> tuple[ModelFile, Signature]:
    """Check a model file and write its signature beside it.

    Args:
        path: the model.
        private_key: as `edge.key_files.write_new_key` writes it.
        ask: called for the passphrase of a key that has one.
        overwrite: replace an earlier signature.

    Returns:
        The model and its signature.

    Raises:
        ModelFileError: the model has a fault.
        KeyFileError: the key cannot be used.
        OutputError: there is a signature already, or it cannot be written.
        MissingPackageError: `cryptography` is not installed.
    """
    out = signature_path(path)
    if not overwrite:
        require_absent(out, "Replace it with --overwrite")
    content = read_tflite_bytes(path)
    model = parse_model_file(path, content)
    key = read_private_key(private_key, ask)
    signature = Signature(
        key_id=fingerprint(key.public_key()),
        model_version=model.version,
        sha256=model.digest,
        signature=key.sign(message(content, model.version)),
    )
    with whole_file(out) as temporary:
        temporary.write_bytes(signature.encode())
    return model, signature


def read_signature(model: Path) -> Signature:
    """Read the signature beside a model; that it fits is not checked yet.

    Args:
        model: the model's path.

    Raises:
        UnsignedModelError: there is none.
        ChangedModelError: it is damaged.
    """
    path = signature_path(model)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_SIGNATURE_FILE + 1)
    except OSError as error:
        raise UnsignedModelError(
            f"The model {model} must be signed: this machine has a trust store",
            got=f"no signature {path.name} beside it ({error.strerror or error})",
            next_step="Copy the .sig file together with the model, or sign it with "
            "`blastscope sign MODEL --key KEY.pem`",
        ) from error
    try:
        signature = _decode(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise ChangedModelError(
            f"The signature {path} must be as `blastscope sign` wrote it",
            got=f"{type(error).__name__}: {str(error)[:200]}",
            next_step="Copy the model and its signature again from where they were made",
        ) from error
    return signature


def _decode(data: bytes) -> Signature:
    if len(data) > _LARGEST_SIGNATURE_FILE:
        raise ValueError(f"more than {_LARGEST_SIGNATURE_FILE} bytes")
    fields = json.loads(data.decode("ascii"))
    if not isinstance(fields, dict) or set(fields) != set(_FIELDS):
        raise ValueError(f"other fields than {', '.join(_FIELDS)}")
    for name, kind in _FIELDS.items():
        if type(fields[name]) is not kind:
            raise TypeError(f"{name} is no {kind.__name__}")
    if (fields["format"], fields["algorithm"]) != (SIGNATURE_FORMAT, ALGORITHM):
        raise ValueError(f"format {fields['format']}, {fields['algorithm']}: not known here")
    for name in ("key_id", "sha256"):
        if not re.fullmatch(r"[0-9a-f]{64}", fields[name]):
            raise ValueError(f"{name} is not 64 hexadecimal digits")
    signature = Signature(
        key_id=fields["key_id"],
        model_version=fields["model_version"],
        sha256=fields["sha256"],
        signature=base64.b64decode(fields["signature"], validate=True),
    )
    if len(signature.signature) != _SIGNATURE_BYTES or not 0 < signature.model_version < 2**32:
        raise ValueError("a signature or version of another size")
    if signature.encode() != data:
        raise ValueError("written in another way")
    return signature
