"""A whole one-file model that is made in milliseconds, without TensorFlow.

Its graph is the smallest that does what the real ones do: it quantizes its input again, averages
over the picture, and gives the softmax of a dense layer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edge.domain import Domain
from edge.labels import SMEAR_LABELS
from edge.model_archive import build_archive, split_archive
from quantize.card import minimal_card
from quantize.packing import pack_model

SIDE = 32

#: How dense layer weighs red, green and blue for each class, and what it adds.
_WEIGHTS = np.array([[90, 5, -80], [-70, 60, 20], [-10, -90, 100], [20, 70, -60]], np.int8)
_BIAS = np.array([200, -100, 0, 50], np.int32)

#: The graph's tensor that holds the mean colour, which serves as embedding.
EMBEDDING = 3

#: Everything is near enough, and any class likely enough that has the most of four.
DOMAIN = Domain(
    mean=np.zeros(3, np.float32),
    axes=np.eye(2, 3, dtype=np.float32),
    deviations=np.ones(2, np.float32),
    centres=np.zeros((4, 2), np.float32),
    rest=1.0,
)
ANSWER = {
    "conformal": {"error_rate": 0.01, "least_probability": 0.5, "part": "validation", "n": 100},
    "domain": {
        "tensor": EMBEDDING,
        "length": 3,
        "directions": 2,
        "most_distance": 100.0,
        "refused_share": 0.01,
        "part": "validation",
        "n": 100,
    },
}

#: The graph's tensors that hold what is averaged, and the dense layer's weights.
ACTIVATION = {"tensor": 1, "weights": 4}

_INT8, _UINT8, _INT32 = (
    schema.TensorType.INT8,
    schema.TensorType.UINT8,
    schema.TensorType.INT32,
)


def make_graph(side: int = SIDE) -> bytes:
    """Build the graph: uint8 (1, side, side, 3) to uint8 (1, 4), as quantized models have them."""
    model = schema.ModelT()
    model.version = 3
    model.description = "test"
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    model.subgraphs, model.operatorCodes = [graph], []

    def tensor(
        shape: list[int], kind: int, scale: float, zero: int, data: np.ndarray | None = None
    ) -> int:
        one = schema.TensorT()
        one.name = f"tensor{len(graph.tensors)}"
        one.shape, one.type, one.buffer = shape, kind, 0
        if scale:
            one.quantization = schema.QuantizationParametersT()
            one.quantization.scale, one.quantization.zeroPoint = [scale], [zero]
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = list(data.tobytes())
            model.buffers.append(buffer)
            one.buffer = len(model.buffers) - 1
        graph.tensors.append(one)
        return len(graph.tensors) - 1

    def operator(code: int, inputs: list[int], output: int, kind: int, options: object) -> None:
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 1
        model.operatorCodes.append(entry)
        one = schema.OperatorT()
        one.opcodeIndex = len(model.operatorCodes) - 1
        one.inputs, one.outputs = inputs, [output]
        one.builtinOptionsType, one.builtinOptions = kind, options
        graph.operators.append(one)

    operators, kinds = schema.BuiltinOperator, schema.BuiltinOptions
    image = tensor([1, side, side, 3], _UINT8, 1 / 128, 128)
    signed = tensor([1, side, side, 3], _INT8, 1 / 128, 0)
    axes = tensor([2], _INT32, 0.0, 0, np.array([1, 2], np.int32))
    mean = tensor([1, 3], _INT8, 1 / 128, 0)
    weights = tensor([4, 3], _INT8, 0.1, 0, _WEIGHTS)
    bias = tensor([4], _INT32, 0.1 / 128, 0, _BIAS)
    logits = tensor([1, 4], _INT8, 0.1, 0)
    shares = tensor([1, 4], _INT8, 1 / 256, -128)
    scores = tensor([1, 4], _UINT8, 1 / 256, 0)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    operator(operators.QUANTIZE, [image], signed, kinds.QuantizeOptions, schema.QuantizeOptionsT())
    operator(operators.MEAN, [signed, axes], mean, kinds.ReducerOptions, schema.ReducerOptionsT())
    operator(
        operators.FULLY_CONNECTED,
        [mean, weights, bias],
        logits,
        kinds.FullyConnectedOptions,
        schema.FullyConnectedOptionsT(),
    )
    operator(operators.SOFTMAX, [logits], shares, kinds.SoftmaxOptions, softmax)
    operator(operators.QUANTIZE, [shares], scores, kinds.QuantizeOptions, schema.QuantizeOptionsT())
    graph.inputs, graph.outputs = [image], [scores]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def make_model(name: str = "small", model_version: int = 1, side: int = SIDE) -> bytes:
    """Pack the graph as any other."""
    card = minimal_card(name, SMEAR_LABELS, side, side, model_version=model_version)
    card |= {"answer": ANSWER, "activation": ACTIVATION}
    return pack_model(make_graph(side), card, DOMAIN.to_bytes())


def take_apart(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return a model file's graph and packed files."""
    archive = split_archive(Path("model"), content)
    return content[: archive.start], dict(archive.members)


def put_together(graph: bytes, members: dict[str, bytes]) -> bytes:
    """Return a model file of parts, whether they fit or not."""
    return graph + build_archive(len(graph), members)
