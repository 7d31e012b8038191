"""A calibrated float TFLite network, to be looked into and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from numpy.typing import NDArray

#: Operations with weights and a bias, and the axis of the weights that their outputs lie along.
OUTPUT_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}

#: Operations that give their input's values on, in the input's scale.
PASSING = ("MAX_POOL_2D", "RESHAPE", "PAD", "TRANSPOSE", "CONCATENATION")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the graph.

    Attributes:
        name: of its output tensor; the quantizer knows the operation by it.
        kind: TFLite's name for it, such as "CONV_2D".
        activation: fused into it: "NONE", "RELU", "RELU6" or another of TFLite's names.
        sources: names of the operations that it takes its inputs from.
    """

    name: str
    kind: str
    activation: str
    sources: tuple[str, ...]


class FloatGraph:
    """The operations, weights and ranges of a float network.

    Args:
        content: a float TFLite model, as `quantize.convert.calibrate` returns it.
    """

    def __init__(self, content: bytes) -> None:
        self._model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        self._graph = self._model.subgraphs[0]
        self._by_name = {self._name(one.outputs[0]): one for one in self._graph.operators}
        makers = {one.outputs[0]: name for name, one in self._by_name.items()}
        self.operations = tuple(
            Operation(
                name,
                flatbuffer_utils.opcode_to_name(self._model, one.opcodeIndex),
                _activation(one),
                tuple(makers[tensor] for tensor in one.inputs if tensor in makers),
            )
            for name, one in self._by_name.items()
        )

    def content(self) -> bytes:
        """Return the TFLite model as it is now."""
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def takers(self, name: str) -> tuple[Operation, ...]:
        """Return the operations that take an operation's output."""
        return tuple(one for one in self.operations if name in one.sources)

    def weights(self, name: str) -> NDArray[np.float32]:
        """Return an operation's weights, in TFLite's order of axes."""
        return self._constant(self._by_name[name].inputs[1])

    def bias(self, name: str) -> NDArray[np.float32]:
        """Return an operation's bias, shape (outputs,)."""
        return self._constant(self._by_name[name].inputs[2])

    def set_weights(self, name: str, values: NDArray[np.float32]) -> None:
        """Replace an operation's weights; the shape stays."""
        self._set_constant(self._by_name[name].inputs[1], values)

    def set_bias(self, name: str, values: NDArray[np.float32]) -> None:
        """Replace an operation's bias."""
        self._set_constant(self._by_name[name].inputs[2], values)

    def has_bias(self, name: str) -> bool:
        """Tell whether an operation has weights and a constant bias."""
        inputs = self._by_name[name].inputs
        return len(inputs) > 2 and inputs[2] >= 0 and self._buffer(inputs[2]) is not None

    def set_ranges(self, ranges: Mapping[str, tuple[float, float]]) -> None:
        """Replace the ranges of some operations' outputs.

        Args:
            ranges: least and greatest value by operation. Those of the input, and of operations
                that have no range, are left alone.
        """
        for name, (low, high) in ranges.items():
            quantization = self._graph.tensors[self._by_name[name].outputs[0]].quantization
            if quantization is not None and quantization.min is not None:
                quantization.min = [min(0.0, low)]
                quantization.max = [max(0.0, high)]

    def _name(self, tensor: int) -> str:
        return str(self._graph.tensors[tensor].name.decode())

    def _buffer(self, tensor: int) -> NDArray[np.uint8] | None:
        data = self._model.buffers[self._graph.tensors[tensor].buffer].data
        return None if data is None or not len(data) else np.asarray(data, np.uint8)

    def _constant(self, tensor: int) -> NDArray[np.float32]:
        data = self._buffer(tensor)
        flat = np.frombuffer(b"" if data is None else data.tobytes(), np.float32)
        return flat.reshape(self._graph.tensors[tensor].shape).copy()

    def _set_constant(self, tensor: int, values: NDArray[np.float32]) -> None:
        data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
        self._model.buffers[self._graph.tensors[tensor].buffer].data = data


def _activation(operator: schema.OperatorT) -> str:
    code = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
    names = {
        value: name for name, value in vars(schema.ActivationFunctionType).items() if name.isupper()
    }
    return str(names[code])
