"""The last layers of an int8 classifier, written anew in its file: no converter has to run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from numpy.typing import NDArray

from edge.errors import QuantizationError

#: What a classifier ends in.
_TAIL = ("FULLY_CONNECTED", "SOFTMAX", "QUANTIZE")

#: Of int8 weights, which are symmetric.
_MOST = 127


@dataclass(frozen=True, slots=True, eq=False)
class DenseHead:
    """One dense layer from an embedding to logits.

    Attributes:
        weights: float64, shape (length, classes).
        bias: float64, shape (classes,).
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the logits of embeddings (n, length); shape (n, classes)."""
        return embeddings.astype(np.float64) @ self.weights + self.bias

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the class probabilities of embeddings (n, length); shape (n, classes)."""
        logits = self.logits(embeddings)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def divided(self, temperature: float) -> DenseHead:
        """Return the head whose logits are divided by a temperature."""
        return DenseHead(self.weights / temperature, self.bias / temperature)


def put_head(content: bytes, head: DenseHead, lowest: float, highest: float) -> bytes:
    """Return a classifier with another last layer.

    Weights are int8 with a scale for each class and no zero point, the bias is int32 with the
    product of the scales: TensorFlow, "LiteRT 8-bit quantization specification".

    Args:
        content: a TFLite model that ends in a dense layer, softmax and quantization to uint8, as
            `quantize.convert.quantize_calibrated` makes it.
        head: for its embedding; of any number of classes.
        lowest: the least logit that is to be told from lower ones.
        highest: the greatest one.

    Raises:
        QuantizationError: the model ends in something else, or its embedding has another length.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    dense, softmax, last = find_tail(model)
    embedding, weights = graph.tensors[dense.inputs[0]], graph.tensors[dense.inputs[1]]
    length, classes = head.weights.shape
    if int(embedding.shape[-1]) != length:
        raise QuantizationError(
            f"A head for this backbone takes {int(embedding.shape[-1])} features",
            got=f"one that takes {length}",
            next_step="Fit it on this backbone's features",
        )
    scales = np.maximum(np.abs(head.weights).max(axis=0), 1e-8) / _MOST
    stored = np.clip(np.rint(head.weights / scales), -_MOST, _MOST).astype(np.int8)
    weights.shape = [classes, length]
    weights.quantization.scale = scales.astype(np.float32)
    weights.quantization.zeroPoint = np.zeros(classes, np.int64)
    weights.quantization.min = weights.quantization.max = None
    weights.quantization.quantizedDimension = 0
    model.buffers[weights.buffer].data = np.frombuffer(
        np.ascontiguousarray(stored.T).tobytes(), np.uint8
    )
    _put_bias(model, dense, head.bias, float(embedding.quantization.scale[0]) * scales)
    low, high = min(0.0, lowest), max(0.0, highest)
    scale = max(high - low, 1e-6) / 255
    logits = graph.tensors[dense.outputs[0]].quantization
    logits.scale = np.array([scale], np.float32)
    logits.zeroPoint = np.array([round(-128 - low / scale)], np.int64)
    for tensor in (dense.outputs[0], softmax.outputs[0], last.outputs[0]):
        graph.tensors[tensor].shape = [1, classes]
        graph.tensors[tensor].shapeSignature = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def head_alone(content: bytes) -> bytes:
    """Return the last layers of a classifier as a model of their own, which takes the embedding.

    What it gives for an embedding is what the whole model gives for the image, bit for bit.

    Args:
        content: as `put_head` returns it.

    Raises:
        QuantizationError: the model does not end in a dense layer, softmax and quantization.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    tail = find_tail(model)
    kept = sorted({int(t) for one in tail for t in (*one.inputs, *one.outputs) if t >= 0})
    places = {tensor: place for place, tensor in enumerate(kept)}
    for one in tail:
        one.inputs = [places.get(int(tensor), -1) for tensor in one.inputs]
        one.outputs = [places[int(tensor)] for tensor in one.outputs]
    graph.tensors = [graph.tensors[tensor] for tensor in kept]
    graph.operators = list(tail)
    graph.inputs, graph.outputs = [tail[0].inputs[0]], [tail[-1].outputs[0]]
    used = {tensor.buffer for tensor in graph.tensors}
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None
    graph.tensors[graph.inputs[0]].shapeSignature = None
    model.signatureDefs, model.metadata = None, None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def find_tail(model: schema.ModelT) -> list[schema.OperatorT]:
    """Return the last three operations of a classifier.

    Raises:
        QuantizationError: they are not a dense layer, softmax and quantization.
    """
    tail = model.subgraphs[0].operators[-len(_TAIL) :]
    names = tuple(flatbuffer_utils.opcode_to_name(model, one.opcodeIndex) for one in tail)
    if names != _TAIL:
        raise QuantizationError(
            "A frozen backbone ends in a dense layer, softmax and quantization to bytes",
            got=", ".join(map(str, names)),
            next_step="Remove the kept backbone from the cache, so that it is made anew",
        )
    return list(tail)


def _put_bias(
    model: schema.ModelT,
    dense: schema.OperatorT,
    bias: NDArray[np.float64],
    scales: NDArray[np.float64],
) -> None:
    """Give a dense layer a bias; the converter leaves one out that is 0."""
    graph = model.subgraphs[0]
    if len(dense.inputs) < 3 or dense.inputs[2] < 0:
        buffer, tensor = schema.BufferT(), schema.TensorT()
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
        tensor.type = schema.TensorType.INT32
        tensor.name = b"head/bias"
        tensor.quantization = schema.QuantizationParametersT()
        graph.tensors.append(tensor)
        dense.inputs = [*dense.inputs[:2], len(graph.tensors) - 1]
    tensor = graph.tensors[dense.inputs[2]]
    tensor.shape = [len(bias)]
    tensor.quantization.scale = scales.astype(np.float32)
    tensor.quantization.zeroPoint = np.zeros(len(bias), np.int64)
    stored = np.rint(bias / scales).astype(np.int32)
    model.buffers[tensor.buffer].data = np.frombuffer(stored.tobytes(), np.uint8)
