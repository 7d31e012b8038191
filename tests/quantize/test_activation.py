"""Where class activation comes from in a graph."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from quantize.activation import find_activation
from tests.edge.small_model import ACTIVATION, make_graph


def test_map_and_weights_are_found() -> None:
    assert find_activation(make_graph()) == ACTIVATION


def test_graph_that_averages_nothing_has_none() -> None:
    model = schema.ModelT.InitFromPackedBuf(bytearray(make_graph()))
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.MEAN:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SUM
    assert find_activation(bytes(flatbuffer_utils.convert_object_to_bytearray(model))) is None


def test_graph_without_a_dense_layer_has_none() -> None:
    model = schema.ModelT.InitFromPackedBuf(bytearray(make_graph()))
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SUM
    assert find_activation(bytes(flatbuffer_utils.convert_object_to_bytearray(model))) is None
