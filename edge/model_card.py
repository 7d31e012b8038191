"""The card inside a model file: what it must hold, and what it says about the other parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from edge.errors import ModelFileError
from edge.json_schema import find_faults
from edge.labels import benign_label
from edge.model_archive import CARD_NAME, DOMAIN_NAME, LABELS_NAME, PACK_COMMAND

#: The version of the model file's format that this package writes and reads.
FORMAT_VERSION = 3

#: Identifies `edge.preprocess.preprocess`, without and with a square around a cell; a model made
#: for another method is refused.
PREPROCESSING_METHOD = "centre-crop, area by a whole factor, margin or linear exact"
CELL_METHOD = "cell-crop, area by a whole factor, margin or linear exact"

_MOST_FAULTS_SHOWN = 3
_COPY_AGAIN = "Copy the model again from where it was made"


@lru_cache(maxsize=1)
def card_schema() -> dict[str, Any]:
    """Return the card's JSON Schema, draft 2020-12."""
    text = (resources.files("edge") / "schemas" / "model-card.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def parse_card(path: Path, data: bytes) -> dict[str, Any]:
    """Read a card and check it against its schema.

    Args:
        path: the model file, for messages.
        data: the bytes of `blastscope.json`.

    Raises:
        ModelFileError: it is no JSON object, of another format, or against the schema.
    """
    try:
        card = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique_fields, parse_constant=_refuse_constant
        )
        # Half of a surrogate pair is a character of JSON, and none of any text.
        json.dumps(card, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _incomplete(path, f"{type(error).__name__}: {str(error)[:200]}") from error
    if not isinstance(card, dict):
        raise _incomplete(path, "no JSON object")
    _check_format(path, card.get("format"))
    faults = find_faults(card, card_schema())
    shown = [f"{place} {rule}" for place, rule in islice(faults, _MOST_FAULTS_SHOWN)]
    if shown:
        raise _incomplete(path, "; ".join(shown))
    healthy, said = benign_label(card["labels"]), card["decision"]["benign_label"]
    if said != healthy:
        raise _incomplete(path, f"decision.benign_label must be {healthy!r}, not {said!r}")
    method, has_cell = card["preprocessing"]["method"], "cell" in card["preprocessing"]
    if method != (CELL_METHOD if has_cell else PREPROCESSING_METHOD):
        raise ModelFileError(
            f"The preprocessing of {path} must be {PREPROCESSING_METHOD!r}, or {CELL_METHOD!r} "
            "with the size of the crop",
            got=f"{method!r}",
            next_step="Update blastscope, or make the model again",
        )
    return card


def describe_part(data: bytes) -> dict[str, Any]:
    """Return a part's length and SHA-256, as the card holds them."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def find_changed_parts(
    card: Mapping[str, Any], graph: bytes | memoryview, members: Mapping[str, bytes]
) -> Iterator[tuple[str, str | None]]:
    """Hold every part of a model file against the card.

    Args:
        card: as `parse_card` returns it.
        graph: the TFLite model.
        members: the packed files, by name.

    Yields:
        Each part's name, and what is wrong with it; None where it is as the card says.
    """
    yield "graph", _compare(card["graph"], graph)
    listed = card["members"]
    for name, data in members.items():
        if name != CARD_NAME:
            yield name, _compare(listed[name], data) if name in listed else "not in the card"
    yield from ((name, "not in the file") for name in listed if name not in members)
    frames = sorted(frame["file"] for frame in card["golden"]["frames"])
    if frames != sorted(name for name in listed if name not in (LABELS_NAME, DOMAIN_NAME)):
        yield "golden frames", "others than the card lists"
    if (DOMAIN_NAME in listed) != ("domain" in card.get("answer", {})):
        yield DOMAIN_NAME, "not there exactly where the card describes it"


def check_parts(
    path: Path, card: Mapping[str, Any], graph: bytes | memoryview, members: Mapping[str, bytes]
) -> None:
    """Refuse a model file with a part that is not as the card says.

    Raises:
        ModelFileError: a part has changed, is absent, or is one too many.
    """
    for name, fault in find_changed_parts(card, graph, members):
        if fault is not None:
            raise ModelFileError(
                f"Every part of {path} must be as it was packed",
                got=f"{name}: {fault}",
                next_step=_COPY_AGAIN,
            )


def check_labels(path: Path, card: Mapping[str, Any], members: Mapping[str, bytes]) -> None:
    """Refuse a model whose label file does not list the card's labels.

    Raises:
        ModelFileError: they differ.
    """
    if members[LABELS_NAME] != label_file(card["labels"]):
        raise ModelFileError(
            f"The label file in {path} must agree with the card",
            got=members[LABELS_NAME][:200],
            next_step=_COPY_AGAIN,
        )


def label_file(labels: list[str]) -> bytes:
    """Return the content of `labels.txt`: each label on a line of its own."""
    return "".join(f"{label}\n" for label in labels).encode()


def _compare(part: Mapping[str, Any], data: bytes | memoryview) -> str | None:
    if len(data) != part["bytes"]:
        return f"{len(data)} bytes in place of {part['bytes']}"
    digest = hashlib.sha256(data).hexdigest()
    if digest != part["sha256"]:
        return f"SHA-256 {digest[:16]}... in place of {part['sha256'][:16]}..."
    return None


def _check_format(path: Path, version: Any) -> None:
    """Tell a file of another time from one that is damaged."""
    if type(version) is not int or version == FORMAT_VERSION:
        return
    if version < FORMAT_VERSION:
        next_step = (
            "Quantize its run again; a model whose run is gone gets a new card with "
            f"`{PACK_COMMAND}`"
        )
    else:
        next_step = "Update blastscope on this machine: the model was made by a newer one"
    raise ModelFileError(
        f"The model file {path} must be of format {FORMAT_VERSION}",
        got=f"format {version}",
        next_step=next_step,
    )


def _incomplete(path: Path, got: str) -> ModelFileError:
    return ModelFileError(
        f"The card {CARD_NAME} in {path} must be complete",
        got=got,
        next_step="Make the model again, or copy it again from where it was made",
    )


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is there twice")
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
