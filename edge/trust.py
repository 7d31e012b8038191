"""The trust store: a folder of public keys, and the newest version seen of each model.

Who can write to the folder decides which models this machine runs; on a station it belongs to the
superuser.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import (
    ChangedModelError,
    KeyFileError,
    OlderModelError,
    OutputError,
    TrustStoreError,
    UntrustedKeyError,
)
from edge.key_files import fingerprint, public_pem, read_public_key, require_cryptography
from edge.output import make_folder, whole_file, write_json
from edge.signature import Signature, message, read_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from edge.model_file import ModelFile

#: Names the trust store; see `configured_trust_store`.
TRUST_VARIABLE = "BLASTSCOPE_TRUST"

#: Used where it exists and the variable is not set: on a station.
DEFAULT_TRUST_STORE = Path("/etc/blastscope/trust")

_VERSIONS_NAME = "versions.json"
_VERSIONS_FORMAT = 1
_LOCK_NAME = ".lock"

_log = logging.getLogger("blastscope.trust")


def configured_folder() -> Path | None:
    """Return the folder that BLASTSCOPE_TRUST names; else /etc/blastscope/trust, if it is there."""
    if named := os.environ.get(TRUST_VARIABLE):
        return Path(named)
    try:
        DEFAULT_TRUST_STORE.lstat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # Something is there: that it cannot be read must not switch the check off.
    return DEFAULT_TRUST_STORE


def configured_trust_store() -> TrustStore | None:
    """Return the trust store of `configured_folder`; None where no model needs a signature.

    Raises:
        TrustStoreError: one is configured, and there is no such folder.
    """
    folder = configured_folder()
    return None if folder is None else TrustStore(folder)


class TrustStore:
    """Public keys whose signatures are accepted.

    Args:
        folder: holds `*.pem` files, each an Ed25519 public key, and `versions.json`.

    Raises:
        TrustStoreError: it is no folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise TrustStoreError(
                "A trust store is a folder of public keys",
                got=f"no folder {folder}",
                next_step=f"Add a key with `blastscope keys trust PUBLIC.pem --trust {folder}`, "
                f"or correct {TRUST_VARIABLE}",
            )
        self.folder = folder
        self._versions = folder / _VERSIONS_NAME

    def keys(self) -> dict[str, tuple[Path, Ed25519PublicKey]]:
        """Return the file and the key of each fingerprint.

        Raises:
            TrustStoreError: a file that should hold a key does not.
            MissingPackageError: `cryptography` is not installed.
        """
        found = {}
        try:
            paths = sorted(path for path in self.folder.iterdir() if path.suffix == ".pem")
            for path in paths:
                key = read_public_key(path)
                found[fingerprint(key)] = (path, key)
        except (OSError, KeyFileError) as error:
            raise TrustStoreError(
                f"Every .pem file in the trust store {self.folder} must be an Ed25519 public key",
                got=error,
                next_step="Remove the file that does not belong there",
            ) from error
        return found

    def add(self, public_key: Path) -> tuple[Path, str]:
        """Trust a key from now on; adding one that is there already changes nothing.

        Args:
            public_key: a PEM file.

        Returns:
            Where it lies in the store, and its fingerprint.

        Raises:
            KeyFileError: the file holds no Ed25519 public key.
            OutputError: the store cannot be written.
        """
        key = read_public_key(public_key)
        name = fingerprint(key)
        if name in (known := self.keys()):
            return known[name][0], name
        path = self.folder / f"{name[:16]}.pem"
        with whole_file(path) as temporary:
            temporary.write_bytes(public_pem(key))
        return path, name

    def check_signature(self, path: Path, content: bytes) -> Signature:
        """Check the signature beside a model against its bytes and the keys here.

        Args:
            path: the model, beside which the signature lies.
            content: the bytes of the model file, as they will be used.

        Raises:
            UnsignedModelError: there is no signature.
            UntrustedKeyError: its key is not here.
            ChangedModelError: it does not fit.
            TrustStoreError: the store cannot be used.
            MissingPackageError: `cryptography` is not installed.
        """
        require_cryptography()
        from cryptography.exceptions import InvalidSignature

        signature = read_signature(path)
        known = self.keys()
        if signature.key_id not in known:
            here = ", ".join(name[:16] for name in known) or "none"
            raise UntrustedKeyError(
                f"The model {path} must be signed by a key in {self.folder}",
                got=f"key {signature.key_id[:16]}; trusted are: {here}",
                next_step="If you know that key's owner, run `blastscope keys trust PUBLIC.pem`; "
                "else do not use the model",
            )
        try:
            if signature.sha256 != hashlib.sha256(content).hexdigest():
                raise InvalidSignature
            known[signature.key_id][1].verify(
                signature.signature, message(content, signature.model_version)
            )
        except InvalidSignature:
            raise ChangedModelError(
                f"The model {path} must be as it was signed",
                got="bytes that do not fit the signature",
                next_step="Copy the model and its signature again from where they were made; if "
                "that does not help, do not use it",
            ) from None
        return signature

    def check_version(self, model: ModelFile, signature: Signature) -> None:
        """Refuse a model that is older than one of its name that was used before.

        Args:
            model: whose signature holds.
            signature: that signature.

        Raises:
            OlderModelError: it is older.
            ChangedModelError: the signature is for another version.
            TrustStoreError: the store's memory is damaged.
        """
        if signature.model_version != model.version:
            raise ChangedModelError(
                f"The signature of {model.path} must be for the version in its card",
                got=f"version {signature.model_version}, and {model.version} in the card",
                next_step="Sign the model again",
            )
        newest = self._read_versions().get(model.name, 0)
        if model.version < newest:
            raise OlderModelError(
                f"The model {model.path} must not be older than one that was used before",
                got=f"version {model.version} of {model.name}; version {newest} was used here",
                next_step=f"Use version {newest} or newer. To go back on purpose, lower the "
                f"number in {self._versions}",
            )

    def remember(self, model: ModelFile) -> bool:
        """Refuse older versions of this model's name from now on.

        Returns:
            Whether it is remembered. A store that cannot be written is used as it is, with a
            warning in the log.

        Raises:
            TrustStoreError: the store's memory is damaged.
        """
        if self._read_versions().get(model.name, 0) >= model.version:
            return True
        try:
            with self._locked():
                versions = self._read_versions()
                newest = max(versions.get(model.name, 0), model.version)
                write_json(
                    self._versions,
                    {"format": _VERSIONS_FORMAT, "newest": {**versions, model.name: newest}},
                )
        except (OSError, OutputError) as error:
            _log.warning(
                "The trust store %s cannot be written, so older versions than %s of %s will not "
                "be refused: %s",
                *(self.folder, model.version, model.name, error),
            )
            return False
        return True

    def newest_versions(self) -> dict[str, int]:
        """Return the newest version used here of each model, by the network's name.

        Raises:
            TrustStoreError: the store's memory is damaged.
        """
        return self._read_versions()

    def _read_versions(self) -> dict[str, int]:
        try:
            text = self._versions.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error
        try:
            stored = json.loads(text)
            newest = stored["newest"]
            if stored["format"] != _VERSIONS_FORMAT or not isinstance(newest, dict):
                raise ValueError(f"format {stored['format']!r}")
            if not all(type(version) is int and version > 0 for version in newest.values()):
                raise ValueError("a version that is no whole number")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._damaged(error) from error
        return dict(newest)

    def _damaged(self, error: Exception) -> TrustStoreError:
        return TrustStoreError(
            f"The trust store's memory {self._versions} must be whole",
            got=f"{type(error).__name__}: {error}",
            next_step="Put back a copy of it; removing it lets older models in again",
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from writing at the same time."""
        try:
            import fcntl
        except ImportError:  # Windows: a desktop, on which one program at a time loads a model.
            yield
            return
        with (self.folder / _LOCK_NAME).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def make_trust_store(folder: Path) -> TrustStore:
    """Return the trust store in a folder, which is made if it is not there.

    Raises:
        OutputError: it cannot be made.
    """
    make_folder(folder)
    return TrustStore(folder)
