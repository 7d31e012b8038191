"""From a frame to a prediction."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edge.decision import Limits, decide
from edge.decision_rule import most_likely
from edge.domain import Domain, read_domain
from edge.errors import BlastscopeError, ModelFileError, QualityLimitsError
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter, TensorSpec
from edge.model_archive import DOMAIN_NAME
from edge.model_file import ModelFile, read_model_file
from edge.prediction import Prediction
from edge.preprocess import preprocess
from edge.quality import MEASURED_SIDE, Finding, QualityLimits, assess
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
        answer = model.card.get("answer")
        domain = None if answer is None else answer.get("domain")
        content = model.content
        if domain is not None:
            content = with_outputs(memoryview(content)[: model.graph_bytes], [domain["tensor"]])
        outputs = 1 if domain is None else 2
        interpreter = Interpreter(content, str(model.path), threads, outputs=outputs)
        _check_tensors(model, interpreter)
        self._domain: Domain | None = None
        self._limits: Limits | None = None
        self._quality: QualityLimits | None = None
        if answer is not None:
            least = answer["conformal"]["least_probability"]
            self._limits = Limits(least, None if domain is None else domain["most_distance"])
            if "quality" in answer:
                self._quality = _read_quality(model, answer["quality"])
        if domain is not None:
            length, directions = domain["length"], domain["directions"]
            _check_embedding(model, interpreter.outputs[1], length)
            self._domain = read_domain(
                model.members[DOMAIN_NAME], length, directions, len(model.labels)
            )
        self.model = model
        self.labels = model.labels
        self._cell = model.cell
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
            whether that is a result, and milliseconds per stage.

        Raises:
            FrameError: the frame is not RGB uint8.
            BlastscopeError: the classifier has been closed.
        """
        interpreter = self.interpreter
        started = time.perf_counter_ns()
        preprocess(
            frame,
            self.model.height,
            self.model.width,
            out=interpreter.input_view(),
            cell=self._cell,
        )
        preprocessed = time.perf_counter_ns()
        findings = self._judge_quality(frame, interpreter)
        judged = time.perf_counter_ns()
        interpreter.invoke()
        invoked = time.perf_counter_ns()
        quantized = interpreter.output_view().tolist()
        scale, zero_point = interpreter.output.scale, interpreter.output.zero_point
        scores = {
            label: (value - zero_point) * scale
            for label, value in zip(self.labels, quantized, strict=True)
        }
        decision = decide(scores, self._distance(interpreter), self._limits, findings)
        return Prediction(
            label=self.labels[int(most_likely(quantized, self.labels))],
            scores=scores,
            timing_ms={
                "preprocess": (preprocessed - started) / 1e6,
                "quality": (judged - preprocessed) / 1e6,
                "invoke": (invoked - judged) / 1e6,
                "decide": (time.perf_counter_ns() - invoked) / 1e6,
            },
            model_id=self.model.model_id,
            decision=decision.verdict,
            reasons=decision.reasons,
            instructions=decision.instructions,
        )

    def _judge_quality(
        self, frame: NDArray[np.uint8], interpreter: Interpreter
    ) -> Sequence[Finding]:
        """Return what is wrong with a frame, seen as the network sees it where that will do."""
        if self._quality is None:
            return ()
        pixels = interpreter.input_view()
        return self._quality.findings(
            assess(pixels if pixels.shape[:2] == (MEASURED_SIDE, MEASURED_SIDE) else frame)
        )

    def _distance(self, interpreter: Interpreter) -> float | None:
        """Return how far the embedding of the last frame is from the training's."""
        if self._domain is None:
            return None
        return self._domain.distance(read_embedding(interpreter))

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


def _read_quality(model: ModelFile, section: Mapping[str, Any]) -> QualityLimits:
    try:
        return QualityLimits.from_json(section, str(model.path))
    except QualityLimitsError as error:
        raise ModelFileError(error.rule, got=error.got, next_step=error.next_step) from error


def read_embedding(interpreter: Interpreter) -> NDArray[np.float32]:
    """Return the embedding that the last invoke gave.

    Args:
        interpreter: whose second output is the embedding.

    Returns:
        float32, shape (length,).
    """
    spec, stored = interpreter.outputs[1], interpreter.output_view(1)
    if spec.scale == 0.0:
        return np.array(stored, np.float32)
    return (stored.astype(np.float32) - np.float32(spec.zero_point)) * np.float32(spec.scale)


def _check_embedding(model: ModelFile, spec: TensorSpec, length: int) -> None:
    """Refuse a graph whose embedding is not what the card says."""
    if spec.shape != (1, length) or spec.dtype not in ("int8", "float32"):
        raise ModelFileError(
            f"The embedding in {model.path} must be int8 or float32 of shape {(1, length)}, as its "
            "card says",
            got=f"{spec.dtype} of shape {spec.shape}",
            next_step="Make the model again with `blastscope quantize RUN --out FILE`",
        )


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
