"""Tensors inside a TFLite graph, made outputs of it while it is loaded.

The file keeps its one output, which is what MediaPipe and others expect of a classifier. The
runtime adds outputs to the copy in memory that it hands to the interpreter: a longer list of them
is put behind the flatbuffer, and the graph's table points there. The weights stay as they are, and
one invoke gives all.

The format is that of flatbuffers ("FlatBuffers internals", flatbuffers.dev) with TFLite's
schema.fbs, of which three fields are followed: `Model.subgraphs`, `SubGraph.tensors` and
`SubGraph.outputs`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from edge.errors import ModelFileError

#: The places of the three fields in their tables, from schema.fbs.
_MODEL_SUBGRAPHS = 2
_SUBGRAPH_TENSORS, _SUBGRAPH_OUTPUTS = 0, 2

_WORD = 4


def with_outputs(content: bytes | memoryview, tensors: Sequence[int]) -> bytes:
    """Return a TFLite model with some of its tensors as outputs behind its own.

    Args:
        content: a TFLite model of one graph; it stays as it is.
        tensors: positions in the graph's list of tensors.

    Raises:
        ModelFileError: it is no such model, or has no such tensor.
    """
    model = bytearray(content)
    try:
        graph = _follow(model, _vector(model, _follow(model, 0), _MODEL_SUBGRAPHS) + _WORD)
        count = _number(model, _vector(model, graph, _SUBGRAPH_TENSORS))
        field = _field(model, graph, _SUBGRAPH_OUTPUTS)
        outputs = _follow(model, field)
        own = struct.unpack_from(f"<{_number(model, outputs)}i", model, outputs + _WORD)
    except (struct.error, ValueError) as error:
        raise ModelFileError(
            "A graph's outputs must be listed where TFLite lists them",
            got=f"{type(error).__name__}: {error}",
            next_step="Make the model again with `blastscope quantize RUN --out FILE`",
        ) from error
    if unknown := [one for one in tensors if not 0 <= one < count]:
        raise ModelFileError(
            f"A tensor of the graph has a number below {count}",
            got=", ".join(map(str, unknown)),
            next_step="Make the model again with `blastscope quantize RUN --out FILE`",
        )
    model += bytes(-len(model) % _WORD)
    listed = (*own, *tensors)
    struct.pack_into("<I", model, field, len(model) - field)
    return bytes(model + struct.pack(f"<I{len(listed)}i", len(listed), *listed))


def _number(model: bytearray, place: int) -> int:
    (value,) = struct.unpack_from("<I", model, place)
    return int(value)


def _follow(model: bytearray, place: int) -> int:
    """Return where an offset points; all of them are relative to where they stand."""
    return place + _number(model, place)


def _vector(model: bytearray, table: int, slot: int) -> int:
    return _follow(model, _field(model, table, slot))


def _field(model: bytearray, table: int, slot: int) -> int:
    """Return where a field of a table stands."""
    (back,) = struct.unpack_from("<i", model, table)
    layout = table - back
    if layout < 0:
        raise ValueError(f"a table whose layout is at {layout}")
    (size,) = struct.unpack_from("<H", model, layout)
    entry = _WORD + 2 * slot
    (offset,) = struct.unpack_from("<H", model, layout + entry) if entry < size else (0,)
    if offset == 0:
        raise ValueError(f"a table without its field {slot}")
    return table + int(offset)
