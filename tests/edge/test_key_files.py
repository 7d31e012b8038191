"""Key files: for their owners' eyes alone, never written over, Ed25519 and nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli import keys as keys_commands
from edge.cli import sign as sign_command
from edge.cli.main import run
from edge.errors import KeyFileError, ModelFileError, OutputError
from edge.key_files import (
    _write_exclusively,
    public_path,
    read_private_key,
    read_public_key,
    write_new_key,
)
from edge.signature import sign_model, signature_path
from tests.edge.small_model import make_model

Capture = pytest.CaptureFixture[str]


def no_passphrase() -> str:
    raise RuntimeError("the key has no passphrase")


def test_private_key_is_its_owners_alone_from_the_first_byte(tmp_path: Path) -> None:
    """Whatever the mask says; and the file is never there with another mode."""
    seen: list[int] = []
    real = os.open

    def watch(path: object, flags: int, mode: int = 0o777, **options: object) -> int:
        descriptor = real(path, flags, mode, **options)  # type: ignore[arg-type]
        if str(path).endswith("k.pem"):
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    before = os.umask(0)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "open", watch)
            write_new_key(tmp_path / "k.pem")
    finally:
        os.umask(before)
    assert seen == [0o600]
    assert stat.S_IMODE((tmp_path / "k.pem").stat().st_mode) == 0o600
    text = (tmp_path / "k.pem").read_text()
    assert text.startswith("-----BEGIN PRIVATE KEY-----")
    assert "PUBLIC KEY" in (tmp_path / "k.pub.pem").read_text()


def test_keys_are_never_written_over(tmp_path: Path, key: Path) -> None:
    held = key.read_bytes()
    with pytest.raises(OutputError, match="never written over"):
        write_new_key(key)
    key.rename(tmp_path / "moved.pem")
    with pytest.raises(OutputError, match=r"station\.pub\.pem"):
        write_new_key(key)
    assert not key.exists()
    assert (tmp_path / "moved.pem").read_bytes() == held
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError):
        write_new_key(tmp_path / "link.pem")
    assert not (tmp_path / "elsewhere").exists()


def test_file_that_appears_meanwhile_is_not_written_into(tmp_path: Path) -> None:
    held = tmp_path / "k.pem"
    held.write_text("mine")
    with pytest.raises(OutputError, match="must be writable"):
        _write_exclusively(held, b"secret", 0o600)
    assert held.read_text() == "mine"


def test_private_key_that_others_can_read_signs_nothing(
    key: Path, tmp_path: Path, capsys: Capture
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(make_model())
    key.chmod(0o640)
    assert run(["sign", str(model), "--key", str(key)]) == 2
    assert "readable by its owner alone. Got: mode 0640" in capsys.readouterr().err
    assert not signature_path(model).exists()


def test_model_with_a_fault_is_not_signed(tmp_path: Path, key: Path, capsys: Capture) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(make_model()[:-1])
    with pytest.raises(ModelFileError):
        sign_model(path, key, no_passphrase)
    assert run(["sign", str(path), "--key", str(key)]) == 2
    assert not signature_path(path).exists()


def test_passphrase_locks_the_key(tmp_path: Path) -> None:
    key = tmp_path / "k.pem"
    done = CliRunner().invoke(
        keys_commands.command, ["new", str(key), "--passphrase"], input="horse\nhorse\n"
    )
    assert done.exit_code == 0, done.output
    assert "horse" not in done.output
    assert "ENCRYPTED" in key.read_text()
    model = tmp_path / "model.tflite"
    model.write_bytes(make_model())
    words = [str(model), "--key", str(key)]
    done = CliRunner().invoke(sign_command.command, words, input="donkey\n")
    assert isinstance(done.exception, KeyFileError)
    assert "wrong passphrase" in str(done.exception)
    done = CliRunner().invoke(sign_command.command, words, input="horse\n")
    assert done.exit_code == 0, done.output
    assert "horse" not in done.output


def test_only_ed25519_keys_are_taken(tmp_path: Path, key: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    private, public = tmp_path / "ec.pem", tmp_path / "ec.pub.pem"
    private.write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    private.chmod(0o600)
    public.write_bytes(
        other.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with pytest.raises(KeyFileError, match="Ed25519 private key"):
        read_private_key(private, no_passphrase)
    with pytest.raises(KeyFileError, match="Ed25519 public key"):
        read_public_key(public)
    with pytest.raises(KeyFileError, match="Got: a private key"):
        read_public_key(key)
    for bad in (b"", b"text", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        public.write_bytes(bad)
        with pytest.raises(KeyFileError, match="Got: something else"):
            read_public_key(public)
    with pytest.raises(KeyFileError, match="No such file"):
        read_public_key(tmp_path / "absent.pem")


def test_public_half_fits_the_private_one(key: Path) -> None:
    private = read_private_key(key, no_passphrase)
    assert isinstance(private, Ed25519PrivateKey)
    public = read_public_key(public_path(key))
    public.verify(private.sign(b"x"), b"x")
