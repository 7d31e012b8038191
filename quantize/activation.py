"""Where class activation maps come from in a TFLite graph."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema


def find_activation(content: bytes) -> dict[str, int] | None:
    """Return the tensors that class activation maps are made from.

    Args:
        content: a TFLite model.

    Returns:
        `tensor`, the last feature map's number, and `weights`, that of the last dense layer's
        weights, as a model's card has them; None where something else than one global average
        pooling and one dense layer follows the last feature map.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content))
    graph = model.subgraphs[0]
    kinds = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    made_by = {
        int(output): place
        for place, operator in enumerate(graph.operators)
        for output in operator.outputs
    }
    dense = [
        operator
        for operator, kind in zip(graph.operators, kinds, strict=True)
        if kind == schema.BuiltinOperator.FULLY_CONNECTED
    ]
    if len(dense) != 1:
        return None
    pooling = made_by.get(int(dense[0].inputs[0]))
    if pooling is None or kinds[pooling] != schema.BuiltinOperator.MEAN:
        return None
    tensor = int(graph.operators[pooling].inputs[0])
    shape = graph.tensors[tensor].shape
    if len(shape) != 4 or graph.tensors[tensor].type != schema.TensorType.INT8:
        return None
    return {"tensor": tensor, "weights": int(dense[0].inputs[1])}
