"""From a frame to a prediction."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edge.activation import ActivationHead
from edge.decision import Limits, decide
from edge.decision_rule import benign_last
from edge.domain import Domain, read_domain
from edge.errors import BlastscopeError, ModelFileError, QualityLimitsError
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter, TensorSpec
from edge.model_archive import DOMAIN_NAME
from edge.model_file import ModelFile, read_model_file
from edge.prediction import Prediction
from edge.preprocess import is_large, preprocess
from edge.quality import MEASURED_SIDE, Finding, Quality, QualityLimits, assess
from edge.shipped_models import DEFAULT_MODEL, find_model
from edge.side_thread import SideThread


class Classifier:
    """A loaded model that classifies frames, one at a time.

    Beside the network a thread of its own judges the frame's quality, and prepares half of a large
    frame.

    Args:
        model: a model file as `read_model_file` returns it.
        threads: how many cores the network is to use; None uses every core, four at most.
        calibration: of the microscope's calibration frame; colour casts are judged against it.
        activation: also keep what `activation_map` is made from; the same invoke gives it.

    Raises:
        ModelFileError: the graph cannot be loaded, does not fit its own card, or has no class
            activation though it is asked for.
        MissingPackageError: no TFLite runtime is installed.

    Example:
        >>> with Classifier.load() as classifier:
        ...     prediction = classifier.classify(frame)
        ...     print(prediction.label, prediction.scores)
    """

    def __init__(
        self,
        model: ModelFile,
        threads: int | None = None,
        calibration: Quality | None = None,
        *,
        activation: bool = False,
    ) -> None:
        answer = model.card.get("answer")
        domain = None if answer is None else answer.get("domain")
        added = [] if domain is None else [domain["tensor"]]
        if activation:
            added.append(_require_activation(model)["tensor"])
        content = model.content
        if added:
            content = with_outputs(memoryview(content)[: model.graph_bytes], added)
        interpreter = Interpreter(content, str(model.path), threads, outputs=1 + len(added))
        _check_tensors(model, interpreter)
        self._activation: ActivationHead | None = None
        if activation:
            self._activation = _read_activation(model, interpreter)
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
            if (embedding := interpreter.outputs[1]).scale != 0.0:
                self._domain = self._domain.in_stored_units(embedding.scale, embedding.zero_point)
        self._calibration = calibration
        self.model = model
        self.labels = model.labels
        self._order = benign_last(model.labels)
        scale, zero_point = interpreter.output.scale, interpreter.output.zero_point
        self._shares = [(value - zero_point) * scale for value in range(256)]
        self._cell = model.cell
        self._interpreter: Interpreter | None = interpreter
        self._pixels = np.empty((model.height, model.width, 3), np.uint8)
        self._side = SideThread()
        # A classifier that nobody closed leaves no thread behind.
        weakref.finalize(self, self._side.close)

    @classmethod
    def load(
        cls,
        path: str | Path = DEFAULT_MODEL,
        threads: int | None = None,
        calibration: Quality | None = None,
        *,
        activation: bool = False,
    ) -> Self:
        """Read a model file and make it ready to classify.

        Args:
            path: a one-file model (`.tflite` with its card), or the name of one that comes with
                blastscope: "mobilenet-v2", "custom-cnn" or "fast".
            threads: how many cores to use; None uses every core, four at most.
            calibration: of the microscope's calibration frame; colour casts are judged against it.
            activation: also keep what `activation_map` is made from.

        Raises:
            ModelFileError: the file cannot be read or run, or carries no card.
            MissingPackageError: no TFLite runtime is installed.
        """
        return cls(read_model_file(find_model(path)), threads, calibration, activation=activation)

    @property
    def quality_limits(self) -> QualityLimits | None:
        """What the model asks of a frame's quality; None where it asks nothing."""
        return self._quality

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
            whether that is a result, and milliseconds per stage. Quality is judged while the
            network runs: its time is what that adds.

        Raises:
            FrameError: the frame is not RGB uint8.
            BlastscopeError: the classifier has been closed.
        """
        interpreter = self.interpreter
        started = time.perf_counter_ns()
        prepared = self._prepare(frame, interpreter)
        preprocessed = time.perf_counter_ns()
        judgement = self._judge_quality(prepared)
        begun = time.perf_counter_ns()
        try:
            interpreter.invoke()
            invoked = time.perf_counter_ns()
        finally:
            if judgement is not None:
                self._side.wait()
        findings = () if judgement is None else judgement.findings
        judged = time.perf_counter_ns()
        quantized = interpreter.output_view().tolist()
        shares = self._shares
        scores = dict(zip(self.labels, [shares[value] for value in quantized], strict=True))
        decision = decide(scores, self._distance(interpreter), self._limits, findings)
        return Prediction(
            label=self.labels[max(self._order, key=quantized.__getitem__)],
            scores=scores,
            timing_ms={
                "preprocess": (preprocessed - started) / 1e6,
                "quality": (begun - preprocessed + judged - invoked) / 1e6,
                "invoke": (invoked - begun) / 1e6,
                "decide": (time.perf_counter_ns() - judged) / 1e6,
            },
            model_id=self.model.model_id,
            decision=decision.verdict,
            reasons=decision.reasons,
            instructions=decision.instructions,
            likely=decision.likely,
        )

    def _prepare(self, frame: NDArray[np.uint8], interpreter: Interpreter) -> NDArray[np.uint8]:
        """Fill the network's input, and return what quality is to be judged on meanwhile.

        That is the frame as it is, which the side thread prepares for itself: the interpreter's
        memory will not do, since no view of it may be held while the network runs. Of a large one,
        which both threads prepare together, it is the result, in memory of the classifier's.
        """
        height, width, cell = self.model.height, self.model.width, self._cell
        if not is_large(frame):
            preprocess(frame, height, width, out=interpreter.input_view(), cell=cell)
            return frame
        pixels = preprocess(frame, height, width, out=self._pixels, side=self._side, cell=cell)
        np.copyto(interpreter.input_view(), pixels)
        return pixels if pixels.shape[:2] == (MEASURED_SIDE, MEASURED_SIDE) else frame

    def _judge_quality(self, frame: NDArray[np.uint8]) -> _Judgement | None:
        """Begin to judge a frame's quality."""
        if self._quality is None:
            return None
        judgement = _Judgement(self._quality, frame, self._calibration)
        self._side.start(judgement)
        return judgement

    def _distance(self, interpreter: Interpreter) -> float | None:
        """Return how far the embedding of the last frame is from the training's."""
        return None if self._domain is None else self._domain.distance(interpreter.output_view(1))

    @property
    def has_activation(self) -> bool:
        """Whether the classifier was loaded with class activation."""
        return self._activation is not None

    def activation_map(self, label: str) -> NDArray[np.float32]:
        """Return which places of the frame that was classified last speak for a class.

        Args:
            label: one of the model's classes.

        Returns:
            float32, shape (rows, columns) of the last feature map, which covers the centre of the
            frame; see `edge.activation`.

        Raises:
            BlastscopeError: the classifier was loaded without it, or has been closed, or there is
                no such class.
        """
        if self._activation is None:
            raise BlastscopeError(
                "Class activation is kept where it is asked for",
                got="a classifier loaded without it",
                next_step="Load it with Classifier.load(..., activation=True)",
            )
        if label not in self.labels:
            raise BlastscopeError(
                f"The model's classes are {', '.join(self.labels)}",
                got=label,
                next_step="Name one of them",
            )
        interpreter = self.interpreter
        features = interpreter.output_view(len(interpreter.outputs) - 1)
        return self._activation.map_of(features, self.labels.index(label))

    def close(self) -> None:
        """Free the model's memory; closing twice is harmless."""
        self._interpreter = None
        self._side.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Judgement:
    """What is wrong with a frame's quality, once it has been called."""

    def __init__(
        self, limits: QualityLimits, frame: NDArray[np.uint8], calibration: Quality | None
    ) -> None:
        self._limits = limits
        self._frame = frame
        self._calibration = calibration
        self.findings: Sequence[Finding] = ()

    def __call__(self) -> None:
        self.findings = self._limits.findings(assess(self._frame), self._calibration)


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


def _require_activation(model: ModelFile) -> Mapping[str, int]:
    section: Mapping[str, int] | None = model.card.get("activation")
    if section is None:
        raise ModelFileError(
            f"The model {model.path} must say where its class activation comes from",
            got="no `activation` in its card",
            next_step="Use a network that ends in global average pooling and one dense layer, and "
            "quantize it again with this version",
        )
    return section


def _read_activation(model: ModelFile, interpreter: Interpreter) -> ActivationHead:
    features = interpreter.outputs[-1]
    weights = interpreter.weights(_require_activation(model)["weights"])
    channels = features.shape[-1]
    if (
        len(features.shape) != 4
        or features.dtype != "int8"
        or weights.shape != (len(model.labels), channels)
    ):
        raise ModelFileError(
            f"The last feature map in {model.path} is int8 of shape (1, rows, columns, channels), "
            f"and the weights have a row for each of {len(model.labels)} classes",
            got=f"{features.dtype} of shape {features.shape}, and weights of {weights.shape}",
            next_step="Make the model again with `blastscope quantize RUN --out FILE`",
        )
    return ActivationHead(weights * np.float32(features.scale), features.zero_point)


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
    given = model.card["preprocessing"]
    scale, zero_point = interpreter.input.scale, interpreter.input.zero_point
    # An input without a scale takes bytes as they are.
    if scale and (abs(scale * given["std"] - 1.0) > 0.01 or abs(zero_point - given["mean"]) > 0.5):
        raise ModelFileError(
            f"The input of {model.path} must count from its card's mean, {given['mean']:g}, in "
            f"steps of one by its std, {given['std']:g}",
            got=f"zero point {zero_point} and scale {scale:g}",
            next_step="Make the model again with `blastscope quantize RUN --out FILE`",
        )
    output = interpreter.output
    if output.zero_point != 0 or not 0.0 < output.scale <= 1.01 / 255:
        raise ModelFileError(
            f"The output of {model.path} must be probabilities, from 0 to 1",
            got=f"scale {output.scale:g} and zero point {output.zero_point}",
            next_step="Use a model that ends in softmax",
        )
