"""Keys, signatures and the trust store: what is not as it was signed is not used."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.classifier import Classifier
from edge.cli.main import run
from edge.errors import (
    ChangedModelError,
    OlderModelError,
    SignatureError,
    TrustStoreError,
    UnsignedModelError,
    UntrustedKeyError,
)
from edge.key_files import public_path, read_private_key, read_public_key, write_new_key
from edge.model_file import read_model_file
from edge.signature import DOMAIN, message, sign_model, signature_path
from edge.trust import TrustStore, make_trust_store
from edge.verification import verify_model
from tests.edge.small_model import make_model

Capture = pytest.CaptureFixture[str]


def no_passphrase() -> str:
    raise RuntimeError("the key has no passphrase")


@pytest.fixture
def store(tmp_path: Path, key: Path) -> TrustStore:
    store = make_trust_store(tmp_path / "trust")
    store.add(public_path(key))
    return store


@pytest.fixture
def signed(tmp_path: Path, key: Path) -> Callable[..., Path]:
    """Make a signed model."""

    def make(file: str = "model.tflite", by: Path | None = None, **options: object) -> Path:
        path = tmp_path / file
        path.write_bytes(make_model(**options))  # type: ignore[arg-type]
        sign_model(path, by or key, no_passphrase, overwrite=True)
        return path

    return make


def test_signature_is_over_domain_version_and_digest(
    signed: Callable[..., Path], key: Path
) -> None:
    """With nothing of our own but what docs/model-file.md says."""
    import hashlib

    path = signed(model_version=7)
    fields = json.loads(signature_path(path).read_text())
    raw = read_public_key(public_path(key))
    digest = hashlib.sha256(path.read_bytes())
    assert fields["key_id"] == hashlib.sha256(raw.public_bytes_raw()).hexdigest()
    assert (fields["model_version"], fields["sha256"]) == (7, digest.hexdigest())
    content = b"blastscope model signature, format 1\0" + (7).to_bytes(8, "big") + digest.digest()
    raw.verify(base64.b64decode(fields["signature"]), content)
    assert (fields["format"], fields["algorithm"]) == (1, "Ed25519")


def test_signed_model_is_used_and_tells_by_whom(
    signed: Callable[..., Path], store: TrustStore, key: Path
) -> None:
    model = read_model_file(signed(), store)
    assert model.signed_by == next(iter(store.keys()))
    assert read_model_file(model.path).signed_by is None, "no trust store, no check"


def refuse(path: Path, store: TrustStore, kind: type[SignatureError], message: str) -> None:
    """See a model refused by reading, loading and the command line, each with the same message."""
    with pytest.raises(kind, match=message):
        read_model_file(path, store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLASTSCOPE_TRUST", str(store.folder))
        with pytest.raises(kind, match=message):
            Classifier.load(path)
        assert run(["classify", "absent.png", "--model", str(path)]) == 2
        assert run(["verify", str(path)]) == 1
    outcomes = {one.check: one for one in verify_model(path, store)}
    assert "failed" in {outcomes["signature"].state, outcomes["version"].state}


def test_stripped_signature_is_refused(
    signed: Callable[..., Path], store: TrustStore, capsys: Capture
) -> None:
    path = signed()
    signature_path(path).unlink()
    refuse(path, store, UnsignedModelError, r"must be signed.*Got: no signature model.tflite.sig")
    shown = capsys.readouterr()
    assert "must be signed: this machine has a trust store" in shown.err
    assert re.search(r"^FAILED +signature +The model .* must be signed", shown.out, re.MULTILINE)


def test_wrong_key_is_refused(
    signed: Callable[..., Path], store: TrustStore, tmp_path: Path, capsys: Capture
) -> None:
    write_new_key(tmp_path / "stranger.pem")
    path = signed(by=tmp_path / "stranger.pem")
    refuse(path, store, UntrustedKeyError, r"signed by a key in .*Got: key [0-9a-f]{16}; trusted")
    assert "do not use the model" in capsys.readouterr().err


def test_wrong_key_that_claims_to_be_the_right_one_is_refused(
    signed: Callable[..., Path], store: TrustStore, tmp_path: Path
) -> None:
    write_new_key(tmp_path / "stranger.pem")
    path = signed(by=tmp_path / "stranger.pem")
    file = signature_path(path)
    file.write_text(
        file.read_text().replace(json.loads(file.read_text())["key_id"], next(iter(store.keys())))
    )
    refuse(path, store, ChangedModelError, "as it was signed. Got: bytes that do not fit")


def test_changed_byte_anywhere_is_refused(
    signed: Callable[..., Path], store: TrustStore, capsys: Capture
) -> None:
    path = signed()
    content, signature = path.read_bytes(), signature_path(path).read_bytes()
    random = np.random.default_rng(0)
    places = [8, len(content) - 1, *random.integers(8, len(content), 150)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << int(random.integers(8))
        path.write_bytes(changed)
        with pytest.raises(ChangedModelError, match="must be as it was signed"):
            read_model_file(path, store)
    for longer in (content + b"\0", content[:-1]):
        path.write_bytes(longer)
        with pytest.raises(ChangedModelError, match="must be as it was signed"):
            read_model_file(path, store)
    refuse(path, store, ChangedModelError, "must be as it was signed")
    assert "must be as it was signed" in capsys.readouterr().err
    path.write_bytes(content)
    for place in range(len(signature)):
        changed = bytearray(signature)
        changed[place] ^= 1 << int(random.integers(8))
        signature_path(path).write_bytes(changed)
        with pytest.raises((ChangedModelError, UntrustedKeyError)):
            read_model_file(path, store)
    signature_path(path).write_bytes(signature)
    read_model_file(path, store)


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.update(format=2),
        lambda fields: fields.update(algorithm="none"),
        lambda fields: fields.update(model_version="1"),
        lambda fields: fields.update(model_version=True),
        lambda fields: fields.update(model_version=2**70),
        lambda fields: fields.update(signature=""),
        lambda fields: fields.update(signature=fields["signature"] + "\n"),
        lambda fields: fields.update(note="x"),
        lambda fields: fields.pop("sha256"),
        lambda fields: fields.update(note="x" * 10_000),
    ],
)
def test_signature_file_of_another_form_is_refused(
    signed: Callable[..., Path], store: TrustStore, change: Callable[[dict[str, object]], None]
) -> None:
    path = signed()
    fields = json.loads(signature_path(path).read_text())
    change(fields)
    signature_path(path).write_text(json.dumps(fields, indent=1) + "\n")
    refuse(path, store, ChangedModelError, "must be as `blastscope sign` wrote it")


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 4000, b"\xff", b"null"])
def test_signature_file_that_is_no_json_is_refused(
    signed: Callable[..., Path], store: TrustStore, data: bytes
) -> None:
    path = signed()
    signature_path(path).write_bytes(data)
    with pytest.raises(ChangedModelError, match="must be as `blastscope sign` wrote it"):
        read_model_file(path, store)


def test_signature_for_another_purpose_does_not_fit(
    signed: Callable[..., Path], store: TrustStore, key: Path
) -> None:
    path = signed()
    private = read_private_key(key, no_passphrase)
    bare = private.sign(message(path.read_bytes(), 1).removeprefix(DOMAIN))
    fields = json.loads(signature_path(path).read_text())
    fields["signature"] = base64.b64encode(bare).decode()
    signature_path(path).write_text(json.dumps(fields, indent=1) + "\n")
    refuse(path, store, ChangedModelError, "must be as it was signed")


def test_signature_for_another_version_than_the_cards_is_refused(
    signed: Callable[..., Path], store: TrustStore, key: Path
) -> None:
    """As a careless signer might write it: the version is proven, and is not the card's."""
    path = signed(model_version=1)
    private = read_private_key(key, no_passphrase)
    fields = json.loads(signature_path(path).read_text())
    fields["model_version"] = 9
    fields["signature"] = base64.b64encode(private.sign(message(path.read_bytes(), 9))).decode()
    signature_path(path).write_text(json.dumps(fields, indent=1) + "\n")
    refuse(path, store, ChangedModelError, "version in its card. Got: version 9, and 1")


def test_older_version_is_refused(
    signed: Callable[..., Path], store: TrustStore, capsys: Capture
) -> None:
    old, new = signed("old.tflite", model_version=2), signed("new.tflite", model_version=3)
    read_model_file(old, store)
    read_model_file(new, store)
    refuse(old, store, OlderModelError, "Got: version 2 of small; version 3 was used here")
    assert "must not be older than one that was used before" in capsys.readouterr().err
    read_model_file(new, store)
    other = signed("other.tflite", name="other", model_version=1)
    read_model_file(other, store)
    assert store.newest_versions() == {"small": 3, "other": 1}
    verify_model(signed("newest.tflite", model_version=4), store)
    assert store.newest_versions()["small"] == 3, "verifying remembers nothing"


def test_update_can_be_taken_back_until_it_is_remembered(
    signed: Callable[..., Path], store: TrustStore
) -> None:
    old, new = signed("old.tflite", model_version=2), signed("new.tflite", model_version=3)
    read_model_file(old, store)
    model = read_model_file(new, store, remember=False)
    read_model_file(old, store)
    assert store.remember(model)
    with pytest.raises(OlderModelError):
        read_model_file(old, store)


def test_memory_survives_many_writers(
    signed: Callable[..., Path], store: TrustStore, tmp_path: Path
) -> None:
    models = [read_model_file(signed(model_version=version)) for version in range(1, 9)]
    threads = [threading.Thread(target=store.remember, args=[model]) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.newest_versions() == {"small": 8}
    assert sorted(path.name for path in store.folder.iterdir() if path.suffix != ".pem") == [
        ".lock",
        "versions.json",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 1, "newest": {"small": "3"}}', '{"format": 2, "newest": {}}'],
)
def test_damaged_memory_lets_nothing_in(
    signed: Callable[..., Path], store: TrustStore, text: str
) -> None:
    path = signed()
    (store.folder / "versions.json").write_text(text)
    with pytest.raises(TrustStoreError, match=r"memory .* must be whole"):
        read_model_file(path, store)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to become somebody else")
def test_store_that_cannot_be_written_is_used_with_a_note(
    signed: Callable[..., Path], store: TrustStore, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a station, whose store belongs to the superuser and whose service does not."""
    path = signed()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        for file in (path, signature_path(path)):
            shutil.copy(file, name)
        shutil.copytree(store.folder, Path(name) / "trust")
        os.seteuid(65534)
        try:
            model = read_model_file(Path(name) / path.name, TrustStore(Path(name) / "trust"))
        finally:
            os.seteuid(0)
        assert model.version == 1
        assert not (Path(name) / "trust" / "versions.json").exists()
    (record,) = caplog.records
    assert "older versions than 1 of small will not be refused" in record.getMessage()


def test_empty_store_refuses_all(signed: Callable[..., Path], tmp_path: Path) -> None:
    empty = make_trust_store(tmp_path / "empty")
    refuse(signed(), empty, UntrustedKeyError, "trusted are: none")


def test_store_with_something_else_in_it_is_refused(
    signed: Callable[..., Path], store: TrustStore
) -> None:
    path = signed()
    (store.folder / "notes.txt").write_text("anything but .pem is left alone")
    read_model_file(path, store)
    (store.folder / "broken.pem").write_text("text")
    with pytest.raises(TrustStoreError, match=r"must be an Ed25519 public key.*broken\.pem"):
        read_model_file(path, store)


def test_commands_go_from_a_key_to_a_trusted_model(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BLASTSCOPE_TRUST", raising=False)
    monkeypatch.setenv("BLASTSCOPE_TRACEBACK", "1")
    Path("model.tflite").write_bytes(make_model(model_version=4))

    def blastscope(*words: str) -> dict[str, object]:
        assert run([*words, "--json"]) == 0
        result: dict[str, object] = json.loads(capsys.readouterr().out)
        return result

    assert blastscope("keys", "list")["trust_store"] is None
    made = blastscope("keys", "new", "station.pem")
    assert made["public"] == "station.pub.pem"
    trusted = blastscope("keys", "trust", "station.pub.pem", "--trust", "trust")
    assert trusted["fingerprint"] == made["fingerprint"]
    again = blastscope("keys", "trust", "station.pub.pem", "--trust", "trust")
    assert again == trusted
    signed = blastscope("sign", "model.tflite", "--key", "station.pem")
    assert (signed["key_id"], signed["model_version"]) == (made["fingerprint"], 4)
    assert run(["sign", "model.tflite", "--key", "station.pem"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    read_model_file("model.tflite", TrustStore(Path("trust")))
    listed = blastscope("keys", "list", "--trust", "trust")
    assert listed["keys"] == {made["fingerprint"]: trusted["trusted"]}
    assert listed["newest_versions"] == {"small": 4}
    assert run(["verify", "model.tflite", "--trust", "trust"]) == 0
    assert run(["inspect", "model.tflite"]) == 0
    assert run(["keys", "list", "--trust", "trust"]) == 0
    assert run(["keys", "trust", "station.pem", "--trust", "trust"]) == 2
    assert run(["keys", "trust", "station.pub.pem"]) == 2
    assert run(["sign", "model.tflite", "--key", "station.pub.pem", "--overwrite"]) == 2
    shown = capsys.readouterr()
    assert "by key " in shown.out
    secret = Path("station.pem").read_text().splitlines()[1]
    assert len(secret) == 64
    assert secret not in shown.out + shown.err
    assert secret[:20] not in shown.out + shown.err


def test_missing_package_names_what_to_install(
    signed: Callable[..., Path], store: TrustStore
) -> None:
    path = signed()
    code = (
        "import sys; sys.modules['cryptography'] = None; from edge.cli.main import run; "
        f"sys.exit(run(['inspect', {str(path)!r}]) or run(['verify', {str(path)!r}]))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "BLASTSCOPE_TRUST"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, "without a trust store nothing needs it"
    environment["BLASTSCOPE_TRUST"] = str(store.folder)
    code = code.split("sys.exit")[0] + f"sys.exit(run(['classify', 'x', '--model', {str(path)!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 2
    assert "pip install '.[signing]'" in done.stderr
