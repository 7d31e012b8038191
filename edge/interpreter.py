"""One TFLite interpreter, over whichever runtime is installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BlastscopeError, MissingPackageError, ModelFileError
from edge.native_output import captured_native_output

#: The runtimes end the process when asked for very many.
MOST_THREADS = 64


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What a model's input or output tensor holds.

    A stored value q stands for the real value (q - zero_point) * scale: Jacob et al.,
    "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", CVPR 2018, equation 1.

    Attributes:
        shape: the tensor's shape with the batch first, such as (1, 224, 224, 3).
        dtype: numpy's name of its type, such as "uint8".
        scale: the step between two stored values; 0 for a float tensor.
        zero_point: the stored value that stands for 0.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


def default_threads() -> int:
    """Return the number of cores this process may use, at most 4 as on any Pi."""
    if hasattr(os, "sched_getaffinity"):
        return min(4, len(os.sched_getaffinity(0)))
    return min(4, os.cpu_count() or 1)


class Interpreter:
    """A loaded model, with views into its own input and output memory.

    The views are not copies: write a frame into `input_view()`, call `invoke()`, read
    `output_view()`. Let go of a view before the next `invoke()`; the runtime refuses to run
    while one is held.

    Args:
        content: the bytes of a TFLite model with one input.
        name: what to call the model in an error.
        threads: how many cores to use; None takes `default_threads()`.
        outputs: how many outputs the model must have.

    Raises:
        MissingPackageError: no TFLite runtime is installed.
        ModelFileError: the runtime cannot load the model.

    Example:
        >>> interpreter = Interpreter(Path("model.tflite").read_bytes(), "model.tflite")
        >>> interpreter.input_view()[...] = 0
        >>> interpreter.invoke()
        >>> scores = interpreter.output_view().copy()
    """

    def __init__(
        self, content: bytes, name: str, threads: int | None = None, *, outputs: int = 1
    ) -> None:
        if threads is not None and not 1 <= threads <= MOST_THREADS:
            raise BlastscopeError(
                f"The number of threads is at least 1 and at most {MOST_THREADS}",
                got=threads,
                next_step="Leave it out to use every core, four at most",
            )
        self.threads = threads or default_threads()
        runtime_class, self.runtime = find_runtime()
        rule = f"The model {name} must be a TFLite file that {self.runtime} can run"
        with captured_native_output() as messages:
            try:
                self._native = runtime_class(model_content=content, num_threads=self.threads)
                self._native.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise ModelFileError(
                    rule,
                    got="; ".join([" ".join(str(error).split()), *messages()]),
                    next_step="Make the model again with `blastscope quantize RUN --out FILE`",
                ) from error
        inputs = self._native.get_input_details()
        found = self._native.get_output_details()
        if len(inputs) != 1 or len(found) != outputs:
            wanted = "one output" if outputs == 1 else f"{outputs} outputs"
            raise ModelFileError(
                f"The model {name} must have one input and {wanted}",
                got=f"{len(inputs)} inputs and {len(found)} outputs",
                next_step="Use a classification model",
            )
        self.input = _spec(inputs[0])
        self.outputs = tuple(_spec(one) for one in found)
        self.output = self.outputs[0]
        self._input_tensor = self._native.tensor(inputs[0]["index"])
        self._output_tensors = [self._native.tensor(one["index"]) for one in found]

    @property
    def delegate(self) -> str:
        """The delegate that really runs the graph: "XNNPACK", or "none" for built-in kernels."""
        operators = [detail["op_name"] for detail in self._native._get_ops_details()]
        return "XNNPACK" if "DELEGATE" in operators else "none"

    def input_view(self) -> NDArray[Any]:
        """Return the input tensor's own memory, writable, with the batch axis dropped."""
        view: NDArray[Any] = self._input_tensor()[0]
        return view

    def invoke(self) -> None:
        """Run the network once on what the input tensor holds.

        Raises:
            BlastscopeError: a view of the input or output is still held.
        """
        try:
            self._native.invoke()
        except RuntimeError as error:
            raise BlastscopeError(
                "Views of the model's memory are released before it runs",
                got=" ".join(str(error).split()),
                next_step="Delete the array that input_view or output_view returned",
            ) from error

    def output_view(self, number: int = 0) -> NDArray[Any]:
        """Return an output tensor's own memory with the batch axis dropped.

        Args:
            number: which output, from 0 on.
        """
        view: NDArray[Any] = self._output_tensors[number]()[0]
        return view

    def weights(self, tensor: int) -> NDArray[np.float32]:
        """Return a constant of the graph in real values.

        Args:
            tensor: its number in the graph's list of tensors.

        Returns:
            float32, of the constant's shape; empty where there is no such constant.
        """
        details = [one for one in self._native.get_tensor_details() if one["index"] == tensor]
        if not details:
            return np.empty(0, np.float32)
        about = details[0]["quantization_parameters"]
        scales, zero_points = np.asarray(about["scales"]), np.asarray(about["zero_points"])
        try:
            stored = np.asarray(self._native.get_tensor(tensor), np.float32)
            if not scales.size:
                return stored
            # One scale for all, or one for each row.
            shape = (-1, *[1] * (stored.ndim - 1)) if scales.size > 1 else ()
            real = (stored - zero_points.reshape(shape)) * scales.reshape(shape)
        except ValueError:
            return np.empty(0, np.float32)
        return np.asarray(real, np.float32)


def find_runtime() -> tuple[Any, str]:
    """Return the interpreter class of the best runtime installed, and its name and version."""
    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRT

        return LiteRT, f"ai-edge-litert {metadata.version('ai-edge-litert')}"
    except ImportError:
        pass
    try:
        from tflite_runtime.interpreter import Interpreter as TFLiteRuntime

        return TFLiteRuntime, f"tflite-runtime {metadata.version('tflite-runtime')}"
    except ImportError as error:
        raise MissingPackageError(
            "Running a model takes a TFLite runtime",
            got="neither ai-edge-litert nor tflite-runtime",
            next_step="Install one with `pip install ai-edge-litert` "
            "(`pip install tflite-runtime 'numpy<2'` on 32-bit systems)",
        ) from error


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        shape=tuple(int(size) for size in detail["shape"]),
        dtype=np.dtype(detail["dtype"]).name,
        scale=float(scale),
        zero_point=int(zero_point),
    )
