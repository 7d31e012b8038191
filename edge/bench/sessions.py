"""TFLite models of any precision, loaded and fed with frames."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.errors import ModelFileError
from edge.interpreter import Interpreter
from edge.model_file import CARD_NAME, ModelFile, parse_model_file, read_tflite_bytes
from edge.preprocess import INPUT_MEAN, INPUT_STD, preprocess


class Session(Protocol):
    """A loaded model that tells a frame's class.

    Attributes:
        runtime: what runs it, with its version.
        delegate: what really runs the graph, such as "XNNPACK".
        outputs: number of classes; 0 where the runtime does not tell.
        input_dtype: numpy's name of what the network takes.
        invoke: runs the network alone on what its input holds; None where that cannot be told
            apart from preprocessing.
    """

    runtime: str
    delegate: str
    outputs: int
    input_dtype: str
    invoke: Callable[[], object] | None

    def classify(self, frame: NDArray[np.uint8]) -> int:
        """Return the position of the highest score; frame: RGB, uint8, (height, width, 3)."""
        ...

    def close(self) -> None:
        """End what the runtime holds open; the session is of no further use."""
        ...


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model file before it is loaded.

    Attributes:
        name: what it is called in the comparison.
        path: where it was read from.
        content: all of its bytes.
        model: the file with its card; None for a plain TFLite file.
        digest: SHA-256 of the bytes, in hexadecimal.
    """

    name: str
    path: Path
    content: bytes = field(repr=False)
    model: ModelFile | None
    digest: str

    def load(self, threads: int | None) -> Session:
        """Make the model ready.

        Args:
            threads: cores to use; None for every core, four at most.

        Raises:
            ModelFileError: the runtime cannot run it, or it takes no frames.
        """
        if self.model is not None:
            return OneFileSession(self.model, threads)
        return PlainSession(self.content, str(self.path), threads)


def read_sources(paths: Sequence[Path]) -> list[ModelSource]:
    """Read models, and name each by its file without the ending, or by its path if need be.

    Args:
        paths: `.tflite` files, with a card or without.

    Raises:
        ModelFileError: one is absent, not TFLite, given twice, or has a damaged card.
    """
    stems = [path.stem for path in paths]
    sources: list[ModelSource] = []
    for path, stem in zip(paths, stems, strict=True):
        content = read_tflite_bytes(path)
        name = stem if stems.count(stem) == 1 else str(path)
        if any(source.name == name for source in sources):
            raise ModelFileError(
                "Each model is compared once", got=f"{path} twice", next_step="Name it once"
            )
        model = parse_model_file(path, content) if _has_card(content) else None
        sources.append(ModelSource(name, path, content, model, hashlib.sha256(content).hexdigest()))
    return sources


class OneFileSession:
    """A one-file model in the classifier that a station runs.

    Args:
        model: the model.
        threads: cores to use; None for every core, four at most.
    """

    def __init__(self, model: ModelFile, threads: int | None) -> None:
        self._classifier = Classifier(model, threads)
        interpreter = self._classifier.interpreter
        self._places = {label: place for place, label in enumerate(model.labels)}
        self.runtime, self.delegate = interpreter.runtime, interpreter.delegate
        self.outputs = len(model.labels)
        self.input_dtype = interpreter.input.dtype
        self.invoke: Callable[[], object] | None = interpreter.invoke

    def classify(self, frame: NDArray[np.uint8]) -> int:
        """Return the position of the highest score."""
        return self._places[self._classifier.classify(frame).label]

    def close(self) -> None:
        """Free the model's memory."""
        self._classifier.close()


class PlainSession:
    """A TFLite classifier without a card, preprocessed for as blastscope's networks are.

    A byte b stands for (b - INPUT_MEAN) / INPUT_STD. A float32 input gets that number, an int8 or
    int16 input the nearest value that its scale and zero point have for it, and a uint8 input the
    byte as it is.

    Args:
        content: the bytes of a model with input (1, height, width, 3) and output (1, classes).
        name: what to call it in an error.
        threads: cores to use; None for every core, four at most.

    Raises:
        ModelFileError: it is not of that form.
    """

    def __init__(self, content: bytes, name: str, threads: int | None) -> None:
        interpreter = Interpreter(content, name, threads)
        shape, outputs = interpreter.input.shape, interpreter.output.shape
        if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or len(outputs) != 2:
            raise ModelFileError(
                f"The model {name} takes (1, height, width, 3) and gives (1, classes)",
                got=f"input {shape} and output {outputs}",
                next_step="Use an image classifier of batch size 1",
            )
        self._interpreter = interpreter
        self._height, self._width = shape[1:3]
        self._frame = np.empty(shape[1:], np.uint8)
        self._values = byte_values(interpreter, name)
        self.runtime, self.delegate = interpreter.runtime, interpreter.delegate
        self.outputs = outputs[1]
        self.input_dtype = interpreter.input.dtype
        self.invoke: Callable[[], object] | None = interpreter.invoke

    def classify(self, frame: NDArray[np.uint8]) -> int:
        """Return the position of the highest score."""
        if self._values is None:
            preprocess(frame, self._height, self._width, out=self._interpreter.input_view())
        else:
            preprocess(frame, self._height, self._width, out=self._frame)
            # "clip" lets numpy write straight into the model's memory; no byte is out of range.
            np.take(self._values, self._frame, out=self._interpreter.input_view(), mode="clip")
        self._interpreter.invoke()
        return int(self._interpreter.output_view().argmax())

    def close(self) -> None:
        """Nothing has to be ended."""


def byte_values(interpreter: Interpreter, name: str) -> NDArray[Any] | None:
    """Return what a model's input takes for each byte from 0 to 255.

    Args:
        interpreter: the loaded model.
        name: what to call it in an error.

    Returns:
        Shape (256,), of the input's type; None where the bytes go in as they are.

    Raises:
        ModelFileError: the input is of a type that frames cannot be turned into.
    """
    spec = interpreter.input
    if spec.dtype == "uint8":
        return None
    real = (np.arange(256, dtype=np.float32) - np.float32(INPUT_MEAN)) / np.float32(INPUT_STD)
    if spec.dtype == "float32":
        return real
    if spec.dtype not in ("int8", "int16") or spec.scale <= 0.0:
        raise ModelFileError(
            f"The input of {name} is float32, uint8, or quantized int8 or int16",
            got=f"{spec.dtype} with scale {spec.scale:g}",
            next_step="Convert the model with float32 or uint8 input",
        )
    limits = np.iinfo(spec.dtype)
    stored = np.rint(real.astype(np.float64) / spec.scale) + spec.zero_point
    values: NDArray[Any] = np.clip(stored, limits.min, limits.max).astype(spec.dtype)
    return values


def _has_card(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return CARD_NAME in archive.namelist()
    except zipfile.BadZipFile:
        return False
