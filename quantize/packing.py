"""Packing of a TFLite model, its labels and its card into one file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge import __version__
from edge.classifier import Classifier
from edge.errors import ModelFileError, OutputError
from edge.interpreter import Interpreter
from edge.labels import DISCLAIMER
from edge.model_file import CARD_NAME, LABELS_NAME, ModelFile, parse_model_file, read_tflite_bytes
from edge.output import make_folder, require_absent, whole_file
from quantize.card import minimal_card
from quantize.metadata import build_metadata, pack


def pack_plain_model(
    plain: Path, labels: Sequence[str], out: Path, *, name: str | None = None
) -> ModelFile:
    """Give a TFLite model from elsewhere the labels and the card that the runtime needs.

    Args:
        plain: a TFLite classifier with uint8 input (1, height, width, 3) in RGB order and uint8
            output (1, classes).
        labels: the classes in the order of its outputs.
        out: the model file to write.
        name: the network's name; None takes the file's.

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
        name or plain.stem, labels, shape[1], shape[2], mean=zero_point, std=1 / scale
    )
    packed = pack_model(content, card)
    with Classifier(parse_model_file(plain, packed)):
        return write_model(out, packed)


def pack_model(plain: bytes, card: Mapping[str, Any]) -> bytes:
    """Put TFLite Metadata, the label file and the card into a TFLite model.

    Args:
        plain: a TFLite classifier.
        card: as `quantize.card` makes it.

    Returns:
        The bytes of a one-file model; the same for the same input.
    """
    labels = card["labels"]
    metadata = build_metadata(
        card["name"],
        f"Classifies blood-smear fields of view as {', '.join(labels)}. {DISCLAIMER}",
        __version__,
        labels,
        card["preprocessing"]["mean"],
        card["preprocessing"]["std"],
    )
    files = {
        LABELS_NAME: "".join(f"{label}\n" for label in labels).encode(),
        CARD_NAME: (json.dumps(card, indent=1, allow_nan=False) + "\n").encode(),
    }
    return pack(plain, metadata, files)


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
