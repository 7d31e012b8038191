"""Ed25519 keys as files: PEM, a private one for its owner's eyes alone.

Source: RFC 8032, "Edwards-Curve Digital Signature Algorithm (EdDSA)"; RFC 8410 for the PEM forms.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import KeyFileError, MissingPackageError, OutputError
from edge.output import require_absent

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

#: More than any key file holds.
_LARGEST_KEY_BYTES = 16 * 2**10


def require_cryptography() -> None:
    """Refuse to go on without the package that signs.

    Raises:
        MissingPackageError: `cryptography` is not installed.
    """
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            "Signing and checking signatures take the package cryptography",
            got=error,
            next_step="Install it with `pip install '.[signing]'` in blastscope's source folder",
        ) from error


def public_path(private: Path) -> Path:
    """Return where a private key's public half lies: `station.pub.pem` for `station.pem`."""
    return private.with_name(f"{private.stem}.pub.pem")


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a public key's 32 bytes, in hexadecimal: what names it everywhere."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def write_new_key(path: Path, passphrase: bytes | None = None) -> tuple[Path, str]:
    """Make a key pair and write it, the private half readable by its owner only.

    Args:
        path: the private key's file.
        passphrase: what locks it; None leaves it open.

    Returns:
        The public key's path and its fingerprint.

    Raises:
        OutputError: one of the two files exists, or cannot be written; then neither is there.
        MissingPackageError: `cryptography` is not installed.
    """
    require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = public_path(path)
    for one in (path, public):
        require_absent(one, "Choose another name: a key is never written over")
    key = Ed25519PrivateKey.generate()
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        lock = serialization.BestAvailableEncryption(passphrase)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    _write_exclusively(path, pem, 0o600)
    try:
        _write_exclusively(public, public_pem(key.public_key()), 0o644)
    except OutputError:
        with suppress(OSError):
            path.unlink()
        raise
    return public, fingerprint(key.public_key())


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as PEM, SubjectPublicKeyInfo."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read_private_key(path: Path, ask: Callable[[], str]) -> Ed25519PrivateKey:
    """Read a private key.

    Args:
        path: a PEM file, PKCS8.
        ask: called for the passphrase of a key that has one.

    Raises:
        KeyFileError: no Ed25519 private key, a wrong passphrase, or readable by others.
        MissingPackageError: `cryptography` is not installed.
    """
    require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    data = _read(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(
            f"The private key {path} must be readable by its owner alone",
            got=f"mode {stat.S_IMODE(path.stat().st_mode):04o}",
            next_step="Run `chmod 600` on it if nobody else has read it; else make a new one",
        )
    is_locked = b"ENCRYPTED PRIVATE KEY" in data
    # What cryptography says is left out: nothing of a key may reach a screen or a log.
    try:
        passphrase = ask().encode() if is_locked else None
        key = serialization.load_pem_private_key(data, passphrase)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(
            f"A key to sign with is an Ed25519 private key in PEM: {path}",
            got="a wrong passphrase or a damaged file" if is_locked else "something else",
            next_step="Pass the file that `blastscope keys new` wrote",
        ) from None
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key.

    Args:
        path: a PEM file, SubjectPublicKeyInfo.

    Raises:
        KeyFileError: no Ed25519 public key.
        MissingPackageError: `cryptography` is not installed.
    """
    require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    data = _read(path)
    key: object = None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = serialization.load_pem_public_key(data)
    if not isinstance(key, Ed25519PublicKey):
        is_private = b"PRIVATE KEY" in data
        raise KeyFileError(
            f"A key to trust is an Ed25519 public key in PEM: {path}",
            got="a private key" if is_private else "something else",
            next_step=(
                "Take that away from here, and pass the .pub.pem file beside it"
                if is_private
                else "Pass the .pub.pem file that `blastscope keys new` wrote"
            ),
        )
    return key


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_KEY_BYTES:
            raise OSError(f"more than {_LARGEST_KEY_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"The key {path} must be a readable file",
            got=error.strerror or error,
            next_step="Check the path; `blastscope keys new KEY.pem` makes one",
        ) from error


def _write_exclusively(path: Path, data: bytes, mode: int) -> None:
    """Write a file that was not there, with its mode from the first byte on."""
    try:
        # Never through a link, and never into a file that is there: O_EXCL refuses both.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"The key {path} must be writable",
        got=error.strerror or error,
        next_step="Check the folder and its permissions",
    )
