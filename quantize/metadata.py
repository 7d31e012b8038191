"""TFLite Metadata: what MediaPipe and other TFLite tools read from a model file.

The tables follow metadata_schema.fbs of TFLite Support (file identifier M001), of which an image
classifier needs the few fields below. They are written with the flatbuffers library itself,
because the packages that wrap it (tflite-support, mediapipe) pin old interpreters or bring an
OpenCV of their own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edge.model_file import LABELS_NAME

_BUFFER_NAME = "TFLITE_METADATA"
_FILE_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.0.0"

_COLOUR_SPACE_RGB = 1
_CONTENT_IMAGE = 2
_CONTENT_FEATURE = 1
_PROCESS_NORMALIZATION = 1
_FILE_AXIS_LABELS = 2

#: One field of a table: its slot in the schema, and how to put its value there.
_Field = Callable[[flatbuffers.Builder], None]


def build_metadata(
    name: str, description: str, version: str, labels: Sequence[str], mean: float, std: float
) -> bytes:
    """Build the metadata of an image classifier with one input and one output.

    Args:
        name: the model's name.
        description: what it is for, in a sentence or two.
        version: of the software that made it.
        labels: the classes in the order of the outputs; listed in `labels.txt`.
        mean: what normalization subtracts from a stored byte.
        std: what it divides by then.

    Returns:
        A flatbuffer with the identifier M001.
    """
    builder = flatbuffers.Builder(1024)
    image = _table(
        builder,
        "image",
        "RGB frame, 0 to 255, centre-cropped and resized",
        content=(_CONTENT_IMAGE, _object(builder, 2, [_byte(0, _COLOUR_SPACE_RGB)])),
        process=_normalization(builder, mean, std),
        span=(0.0, 255.0),
    )
    axis_labels = _object(
        builder,
        5,
        [
            _offset(0, builder.CreateString(LABELS_NAME)),
            _offset(1, builder.CreateString(", ".join(labels))),
            _byte(2, _FILE_AXIS_LABELS),
        ],
    )
    scores = _table(
        builder,
        "scores",
        "Probability of each class, 0 to 255 for 0 to 1",
        content=(_CONTENT_FEATURE, _object(builder, 0, [])),
        files=_vector(builder, [axis_labels]),
        span=(0.0, 1.0),
    )
    subgraph = _object(
        builder, 10, [_offset(2, _vector(builder, [image])), _offset(3, _vector(builder, [scores]))]
    )
    root = _object(
        builder,
        8,
        [
            _offset(0, builder.CreateString(name)),
            _offset(1, builder.CreateString(description)),
            _offset(2, builder.CreateString(version)),
            _offset(3, _vector(builder, [subgraph])),
            _offset(4, builder.CreateString("blastscope")),
            _offset(7, builder.CreateString(_PARSER_VERSION)),
        ],
    )
    builder.Finish(root, _FILE_IDENTIFIER)
    return bytes(builder.Output())


def pack(content: bytes, metadata: bytes, files: Mapping[str, bytes]) -> bytes:
    """Put metadata into a TFLite model and files behind it.

    Tensors inside the graph lose their names, which nothing reads and which may be a twentieth of
    the file. The result is the same for the same input: the archive's times are fixed.

    Args:
        content: a TFLite model; metadata and files that it has already are dropped.
        metadata: as `build_metadata` returns it.
        files: the content of each file, by name.

    Returns:
        A TFLite model that is a zip archive as well.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    entries = [entry for entry in model.metadata or [] if entry.name != _BUFFER_NAME.encode()]
    buffer = schema.BufferT()
    buffer.data = list(metadata)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = _BUFFER_NAME
    entry.buffer = len(model.buffers) - 1
    model.metadata = [*entries, entry]
    for graph in model.subgraphs:
        ends = {*map(int, graph.inputs), *map(int, graph.outputs)}
        for number, tensor in enumerate(graph.tensors):
            if number not in ends:
                tensor.name = None
    packed = io.BytesIO()
    packed.write(flatbuffer_utils.convert_object_to_bytearray(model))
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return packed.getvalue()


def _object(builder: flatbuffers.Builder, slots: int, fields: Sequence[_Field]) -> int:
    """Write a table whose strings, vectors and tables are written already."""
    builder.StartObject(slots)
    for field in fields:
        field(builder)
    return int(builder.EndObject())


def _offset(slot: int, value: int) -> _Field:
    return lambda builder: builder.PrependUOffsetTRelativeSlot(slot, value, 0)


def _byte(slot: int, value: int) -> _Field:
    return lambda builder: builder.PrependInt8Slot(slot, value, 0)


def _union_type(slot: int, value: int) -> _Field:
    return lambda builder: builder.PrependUint8Slot(slot, value, 0)


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: flatbuffers.Builder, values: Sequence[float]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    return int(builder.EndVector())


def _normalization(builder: flatbuffers.Builder, mean: float, std: float) -> int:
    options = _object(
        builder,
        2,
        [_offset(0, _floats(builder, [mean])), _offset(1, _floats(builder, [std]))],
    )
    unit = _object(builder, 2, [_union_type(0, _PROCESS_NORMALIZATION), _offset(1, options)])
    return _vector(builder, [unit])


def _table(
    builder: flatbuffers.Builder,
    name: str,
    description: str,
    *,
    content: tuple[int, int],
    span: tuple[float, float],
    process: int = 0,
    files: int = 0,
) -> int:
    """Write one TensorMetadata."""
    kind, properties = content
    content_table = _object(builder, 3, [_union_type(0, kind), _offset(1, properties)])
    stats = _object(
        builder,
        2,
        [_offset(0, _floats(builder, [span[1]])), _offset(1, _floats(builder, [span[0]]))],
    )
    fields = [
        _offset(0, builder.CreateString(name)),
        _offset(1, builder.CreateString(description)),
        _offset(3, content_table),
        _offset(5, stats),
    ]
    if process:
        fields.append(_offset(4, process))
    if files:
        fields.append(_offset(6, files))
    return _object(builder, 7, fields)
