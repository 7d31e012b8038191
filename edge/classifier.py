"""From a frame to a prediction."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge.decision_rule import most_likely
from edge.errors import BlastscopeError, ModelFileError
from edge.interpreter import Interpreter
from edge.model_file import ModelFile, read_model_file
from edge.prediction import Prediction
from edge.preprocess import preprocess
from edge.shipped_models import DEFAULT_MODEL, find_model


class Classifier:
    """A loaded model that classifies frames, one at a time, in one thread.

    Args:
        model: a model file as `read_model_file` returns it.
        threads: how many cores to use; None uses every core, four at most.

    Raises:
        ModelFileError: the graph cannot be loaded, or does not fit its own card.
        MissingPackageError: no TFLite runtime is installed.

    Example:
        >>> with Classifier.load() as classifier:
        ...     prediction = classifier.classify(frame)
        ...     print(prediction.label, prediction.scores)
    """

    def __init__(self, model: ModelFile, threads: int | None = None) -> None:
        interpreter = Interpreter(model.content, str(model.path), threads)
        _check_tensors(model, interpreter)
        self.model = model
        self.labels = model.labels
        self._interpreter: Interpreter | None = interpreter

    @classmethod
    def load(cls, path: str | Path = DEFAULT_MODEL, threads: int | None = None) -> Self:
        """Read a model file and make it ready to classify.

        Args:
            path: a one-file model (`.tflite` with its card), or the name of one that comes with
                blastscope: "mobilenet-v2", "custom-cnn" or "fast".
            threads: how many cores to use; None uses every core, four at most.

        Raises:
            ModelFileError: the file cannot be read or run, or carries no card.
            MissingPackageError: no TFLite runtime is installed.
        """
        return cls(read_model_file(find_model(path)), threads)

    @property
    def interpreter(self) -> Interpreter:
        """The loaded interpreter.

        Raises:
            BlastscopeError: the classifier has been closed.
        """
        if self._interpreter is None:
            raise BlastscopeError(
                "A classifier works until it is closed",
                got="a closed classifier",
                next_step="Load it again with Classifier.load",
            )
        return self._interpreter

    def classify(self, frame: NDArray[np.uint8]) -> Prediction:
        """Classify one frame.

        Args:
            frame: RGB, uint8, shape (any height, any width, 3).

        Returns:
            The class with the highest score (of several as high, not the benign one), all scores,
            and milliseconds per stage.

        Raises:
            FrameError: the frame is not RGB uint8.
            BlastscopeError: the classifier has been closed.
        """
        interpreter = self.interpreter
        started = time.perf_counter_ns()
        preprocess(frame, self.model.height, self.model.width, out=interpreter.input_view())
        preprocessed = time.perf_counter_ns()
        interpreter.invoke()
        invoked = time.perf_counter_ns()
        quantized = interpreter.output_view().tolist()
        scale, zero_point = interpreter.output.scale, interpreter.output.zero_point
        scores = [(value - zero_point) * scale for value in quantized]
        return Prediction(
            label=self.labels[int(most_likely(quantized, self.labels))],
            scores=dict(zip(self.labels, scores, strict=True)),
            timing_ms={
                "preprocess": (preprocessed - started) / 1e6,
                "invoke": (invoked - preprocessed) / 1e6,
            },
            model_id=self.model.model_id,
        )

    def close(self) -> None:
        """Free the model's memory; closing twice is harmless."""
        self._interpreter = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _check_tensors(model: ModelFile, interpreter: Interpreter) -> None:
    """Refuse a graph whose tensors are not what the card says, or whose scores are no shares."""
    wanted_input = ((1, model.height, model.width, 3), "uint8")
    wanted_output = ((1, len(model.labels)), "uint8")
    for side, spec, wanted in (
        ("input", interpreter.input, wanted_input),
        ("output", interpreter.output, wanted_output),
    ):
        if (spec.shape, spec.dtype) != wanted:
            raise ModelFileError(
                f"The {side} of {model.path} must be {wanted[1]} of shape {wanted[0]}, "
                "as its card says",
                got=f"{spec.dtype} of shape {spec.shape}",
                next_step="Make the model again with `blastscope quantize RUN --out FILE`",
            )
    output = interpreter.output
    if output.zero_point != 0 or not 0.0 < output.scale <= 1.01 / 255:
        raise ModelFileError(
            f"The output of {model.path} must be probabilities, from 0 to 1",
            got=f"scale {output.scale:g} and zero point {output.zero_point}",
            next_step="Use a model that ends in softmax",
        )
