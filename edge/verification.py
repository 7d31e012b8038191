"""Every check of a model file by itself, so that a report can say which one failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from edge.classifier import Classifier
from edge.errors import (
    BlastscopeError,
    MissingPackageError,
    SignatureError,
    UnsignedModelError,
)
from edge.golden_frames import THREADS, decode_golden_frame, run_golden_frame
from edge.model_archive import CARD_NAME, Archive, split_archive
from edge.model_card import check_labels, find_changed_parts, parse_card
from edge.model_file import ModelFile, parse_model_file, read_tflite_bytes
from edge.signature import Signature, read_signature, signature_path
from edge.trust import TrustStore, configured_trust_store

State = Literal["ok", "failed", "not checked"]

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check.

    Attributes:
        check: what was looked at, such as "hash of graph".
        state: "not checked" where something that it rests on is absent or failed.
        found: what is there, or why it failed or was not checked.
    """

    check: str
    state: State
    found: str


def verify_model(path: Path, trust: TrustStore | None = None) -> list[Outcome]:
    """Check a model file: archive, schema, hashes, labels, signature, version, golden frames.

    Nothing is remembered by the trust store.

    Args:
        path: the model.
        trust: whose signatures to accept; None takes what this machine has configured, if any.

    Returns:
        One outcome for each check, in order.

    Raises:
        TrustStoreError: the trust store that is configured cannot be used.
    """
    return list(_run(path, trust or configured_trust_store()))


def _run(path: Path, trust: TrustStore | None) -> Iterator[Outcome]:
    outcome, content = _attempt("file", lambda: read_tflite_bytes(path), _bytes)
    yield outcome
    if content is None:
        return
    outcome, archive = _attempt(
        "archive",
        lambda: split_archive(path, content),
        lambda it: f"{len(it.members)} files behind a graph of {it.start} bytes",
    )
    yield outcome
    is_whole = False
    if archive is not None:
        parts = list(_check_parts(path, content, archive))
        yield from parts
        is_whole = all(one.state == "ok" for one in parts)
    model = parse_model_file(path, content) if is_whole else None
    outcome, signature = check_signature(path, content, trust)
    yield outcome
    yield _check_version(model, signature, trust)
    yield from _check_golden_frames(model)


def _check_parts(path: Path, content: bytes, archive: Archive) -> Iterator[Outcome]:
    """Check the card against its schema, and every part against the card."""
    members = archive.members
    outcome, card = _attempt(
        "schema",
        lambda: parse_card(path, members[CARD_NAME]),
        lambda it: f"the card keeps to format {it['format']}",
    )
    yield outcome
    if card is None:
        return
    for name, fault in find_changed_parts(card, memoryview(content)[: archive.start], members):
        state: State = "ok" if fault is None else "failed"
        yield Outcome(f"hash of {name}", state, fault or "as in the card")
    outcome, _ = _attempt(
        "labels",
        lambda: check_labels(path, card, members),
        lambda it: ", ".join(card["labels"]),
    )
    yield outcome


def check_signature(
    path: Path, content: bytes, trust: TrustStore | None
) -> tuple[Outcome, Signature | None]:
    """Check the signature beside a model, or say what is known of it without a trust store.

    Args:
        path: the model.
        content: the bytes of the model file.
        trust: whose signatures to accept; None where there is no trust store.

    Returns:
        The outcome, and the signature if it holds.
    """
    if trust is not None:
        return _attempt(
            "signature",
            lambda: trust.check_signature(path, content),
            lambda it: f"by key {it.key_id[:16]}, which {trust.folder} trusts",
        )
    try:
        found = f"by key {read_signature(path).key_id[:16]}; no trust store to hold it against"
    except UnsignedModelError:
        found = f"no {signature_path(path).name}, and no trust store that asks for it"
    except SignatureError as error:
        return Outcome("signature", "failed", str(error)), None
    return Outcome("signature", "not checked", found), None


def _check_version(
    model: ModelFile | None, signature: Signature | None, trust: TrustStore | None
) -> Outcome:
    if model is None:
        return Outcome("version", "not checked", "a part has failed")
    if trust is None:
        return Outcome("version", "not checked", f"{model.version}; no trust store")
    if signature is None:
        return Outcome("version", "not checked", f"{model.version}; the signature has failed")
    outcome, _ = _attempt(
        "version",
        lambda: trust.check_version(model, signature),
        lambda it: f"{model.version} of {model.name}; no newer one was used here",
    )
    return outcome


def _check_golden_frames(model: ModelFile | None) -> Iterator[Outcome]:
    """Run the model on its golden frames, each from its pixels to its output."""
    if model is None:
        found = "a model with a part that has failed is not run"
        yield Outcome("golden frames", "not checked", found)
        return
    try:
        classifier = Classifier(model, THREADS)
    except BlastscopeError as error:
        is_absent = isinstance(error, MissingPackageError)
        yield Outcome("golden frames", "not checked" if is_absent else "failed", str(error))
        return
    with classifier:
        for frame in model.card["golden"]["frames"]:
            yield _check_golden_frame(model, classifier, frame)


def _check_golden_frame(model: ModelFile, classifier: Classifier, frame: Any) -> Outcome:
    file = frame["file"]
    name = f"output for {file}"

    def run() -> tuple[str, list[int]]:
        pixels = decode_golden_frame(model.members[file], file)
        return run_golden_frame(
            classifier.interpreter, pixels, model.height, model.width, model.cell
        )

    outcome, result = _attempt(name, run, lambda it: f"output {it[1]}, bit for bit")
    if result is None:
        return outcome
    digest, output = result
    if digest != frame["input_sha256"]:
        found = f"preprocessed to SHA-256 {digest[:16]}..., not {frame['input_sha256'][:16]}..."
        return Outcome(name, "failed", found)
    if output != frame["output"]:
        return Outcome(name, "failed", f"output {output}, not {frame['output']}")
    return outcome


def _attempt(
    name: str, check: Callable[[], _Result], describe: Callable[[Any], str]
) -> tuple[Outcome, _Result | None]:
    try:
        result = check()
    except BlastscopeError as error:
        return Outcome(name, "failed", str(error)), None
    return Outcome(name, "ok", describe(result)), result


def _bytes(content: bytes) -> str:
    return f"{len(content)} bytes"
