"""Packing of a TFLite model, its labels and its card into one file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge import __version__
from edge.cell_crop import read_cell_crop
from edge.classifier import Classifier
from edge.errors import ModelFileError, OutputError
from edge.interpreter import Interpreter
from edge.labels import DISCLAIMER
from edge.model_archive import CARD_NAME, DOMAIN_NAME, LABELS_NAME, build_archive
from edge.model_card import describe_part, label_file
from edge.model_file import ModelFile, parse_model_file, read_tflite_bytes
from edge.output import make_folder, require_absent, whole_file
from quantize.card import minimal_card
from quantize.golden_frames import choose_golden_frames
from quantize.metadata import build_metadata, pack


def pack_plain_model(
    plain: Path,
    labels: Sequence[str],
    out: Path,
    *,
    name: str | None = None,
    model_version: int = 1,
) -> ModelFile:
    """Give a TFLite model from elsewhere the labels and the card that the runtime needs.

    Args:
        plain: a TFLite classifier with uint8 input (1, height, width, 3) in RGB order and uint8
            output (1, classes).
        labels: the classes in the order of its outputs.
        out: the model file to write.
        name: the network's name; None takes the file's.
        model_version: counts up with each release of a model of that name, from 1 on.

    Returns:
        The model written.

    Raises:
        ModelFileError: the model is not of that form, or the labels do not fit it.
        OutputError: `out` exists already, or cannot be written.
    """
    require_absent(out)
    content = read_tflite_bytes(plain)
    interpreter = Interpreter(content, str(plain))
    shape = interpreter.input.shape
    if len(shape) != 4 or shape[3] != 3 or interpreter.input.dtype != "uint8":
        raise ModelFileError(
            f"The input of {plain} must be uint8 of shape (1, height, width, 3)",
            got=f"{interpreter.input.dtype} of shape {shape}",
            next_step="Convert the model with uint8 input and output",
        )
    scale, zero_point = interpreter.input.scale, interpreter.input.zero_point
    if scale <= 0.0:
        raise ModelFileError(
            f"The input of {plain} must be quantized",
            got="a scale of 0",
            next_step="Convert the model with quantization",
        )
    card = minimal_card(
        name or plain.stem,
        labels,
        shape[1],
        shape[2],
        mean=zero_point,
        std=1 / scale,
        model_version=model_version,
    )
    packed = pack_model(content, card)
    with Classifier(parse_model_file(plain, packed)):
        return write_model(out, packed)


def pack_model(plain: bytes, card: Mapping[str, Any], domain: bytes | None = None) -> bytes:
    """Put TFLite Metadata, the label file, golden frames and the card into a TFLite model.

    Args:
        plain: a TFLite classifier; what was packed into it before is dropped.
        card: as `quantize.card` makes it; the hashes of the parts and the golden frames' outputs
            are added.
        domain: as `edge.domain.Domain.to_bytes` returns it, where the card has `answer.domain`.

    Returns:
        The bytes of a one-file model; the same for the same input.

    Raises:
        ModelFileError: the runtime cannot load the model.
    """
    labels, preprocessing = card["labels"], card["preprocessing"]
    cell = read_cell_crop(preprocessing.get("cell"))
    subject = "blood-smear fields of view" if cell is None else "single white blood cells on black"
    metadata = build_metadata(
        card["name"],
        f"Classifies {subject} as {', '.join(labels)}. {DISCLAIMER}",
        __version__,
        labels,
        preprocessing["mean"],
        preprocessing["std"],
    )
    graph = _graph_alone(pack(plain, metadata, {LABELS_NAME: b""}))
    height, width = preprocessing["height"], preprocessing["width"]
    frames, golden = choose_golden_frames(graph, height, width, cell)
    others = frames if domain is None else {DOMAIN_NAME: domain, **frames}
    files = {LABELS_NAME: label_file(labels), **others}
    complete = {
        **card,
        "graph": describe_part(graph),
        "members": {name: describe_part(data) for name, data in files.items()},
        "golden": golden,
    }
    # A line for each field, and no spaces before it: the smallest form that people can read.
    encoded = (json.dumps(complete, indent=0, allow_nan=False) + "\n").encode()
    members = {LABELS_NAME: files[LABELS_NAME], CARD_NAME: encoded, **others}
    return graph + build_archive(len(graph), members)


def _graph_alone(packed: bytes) -> bytes:
    """Return the TFLite model without the archive behind it."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return packed[: min(entry.header_offset for entry in archive.infolist())]


def write_model(out: Path, content: bytes) -> ModelFile:
    """Write a one-file model in one step.

    Args:
        out: the file.
        content: as `pack_model` returns it.

    Returns:
        The model as the runtime reads it.

    Raises:
        OutputError: it cannot be written; nothing is left behind.
    """
    is_new = not out.parent.exists()
    make_folder(out.parent)
    try:
        with whole_file(out) as temporary:
            temporary.write_bytes(content)
    except OutputError:
        if is_new:
            out.parent.rmdir()
        raise
    return parse_model_file(out, content)
