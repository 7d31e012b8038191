"""Other runtimes on the same images, where they are installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.bench.sessions import ModelSource, Session
from edge.errors import BlastscopeError, MissingPackageError, ModelFileError
from edge.native_output import captured_native_output
from edge.preprocess import INPUT_MEAN, INPUT_STD, preprocess

#: Which runtimes `--against` takes.
PEERS = ("mediapipe", "onnxruntime", "openvino")

#: Those that choose the number of threads by themselves.
OWN_THREADS = frozenset({"mediapipe"})


def load_peer(peer: str, source: ModelSource, threads: int) -> Session:
    """Load a model into another runtime.

    Args:
        peer: one of `PEERS`.
        source: the model; onnxruntime takes the `.onnx` file beside it, and openvino the `.xml`
            or `.onnx` file beside it or else the model itself.
        threads: cores to use, where the runtime can be told.

    Raises:
        MissingPackageError: the runtime is not installed, or does not load.
        ModelFileError: it cannot run the model.
    """
    if find_spec(peer) is None:
        raise MissingPackageError(
            f"Comparing with {peer} takes its package",
            got="not installed",
            next_step=f"Install it with `pip install {peer}`",
        )
    kinds: dict[str, Callable[[ModelSource, int], Session]] = {
        "mediapipe": MediaPipeSession,
        "onnxruntime": OnnxRuntimeSession,
        "openvino": OpenVinoSession,
    }
    # Each of them has exceptions of its own, and says much on standard error.
    try:
        with captured_native_output():
            return kinds[peer](source, threads)
    except BlastscopeError:
        raise
    except ImportError as error:
        raise MissingPackageError(
            f"The package {peer} must load",
            got=f"{type(error).__name__}: {error}",
            next_step=f"Install it again with `pip install --force-reinstall {peer}`",
        ) from error
    except Exception as error:
        raise ModelFileError(
            f"The model {source.path} must be one that {peer} can run",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step=f"Leave {peer} out of --against for this model",
        ) from error


class MediaPipeSession:
    """MediaPipe's ImageClassifier, with its own preprocessing and threads.

    It stretches a frame that is not square, where blastscope crops.

    Args:
        source: a one-file model, whose metadata it reads.
        threads: not used; the task has no such option.
    """

    def __init__(self, source: ModelSource, threads: int) -> None:
        if source.model is None:
            raise ModelFileError(
                "MediaPipe reads labels and normalization in the model itself",
                got="a plain TFLite file",
                next_step="Add them with `blastscope pack`, or compare the one-file model",
            )
        self._mediapipe = import_module("mediapipe")
        python = import_module("mediapipe.tasks.python")
        vision = import_module("mediapipe.tasks.python.vision")
        options = vision.ImageClassifierOptions(
            base_options=python.BaseOptions(model_asset_buffer=source.content), max_results=1
        )
        self._task = vision.ImageClassifier.create_from_options(options)
        self._places = {label: place for place, label in enumerate(source.model.labels)}
        self.runtime = _version("mediapipe")
        self.delegate = "its own"
        self.outputs, self.input_dtype = len(source.model.labels), "uint8"
        self.invoke: Callable[[], object] | None = None

    def classify(self, frame: NDArray[np.uint8]) -> int:
        """Return the position of the highest score."""
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame)
        )
        best = self._task.classify(image).classifications[0].categories[0]
        return self._places[best.category_name]

    def close(self) -> None:
        """End the task; left to the interpreter's own end, it would complain."""
        self._task.close()


class OnnxRuntimeSession:
    """onnxruntime on the processor.

    Args:
        source: a model with a `.onnx` file of the same name beside it.
        threads: cores to use.
    """

    def __init__(self, source: ModelSource, threads: int) -> None:
        path = source.path.with_suffix(".onnx")
        if not path.is_file():
            raise ModelFileError(
                "onnxruntime reads ONNX files, not TFLite",
                got="no .onnx file of the same name beside the model",
                next_step="Make one with `python -m tf2onnx.convert --tflite MODEL.tflite "
                "--output MODEL.onnx`",
            )
        onnxruntime = import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        (tensor,) = session.get_inputs()
        shape = [1 if not isinstance(size, int) else size for size in tensor.shape]
        self._feed = _Feed(shape, "uint8" if tensor.type == "tensor(uint8)" else "float32")
        self._run: Callable[[], Any] = lambda: session.run(None, {tensor.name: self._feed.tensor})[
            0
        ]
        self.runtime = _version("onnxruntime")
        self.delegate = session.get_providers()[0]
        self.outputs, self.input_dtype = 0, self._feed.tensor.dtype.name
        self.invoke: Callable[[], object] | None = self._run

    def classify(self, frame: NDArray[np.uint8]) -> int:
        """Return the position of the highest score."""
        self._feed.fill(frame)
        return int(np.argmax(self._run()))

    def close(self) -> None:
        """Nothing has to be ended."""


class OpenVinoSession:
    """OpenVINO on the processor.

    Args:
        source: a model; a `.xml` or `.onnx` file of the same name beside it is taken instead.
        threads: cores to use.
    """

    def __init__(self, source: ModelSource, threads: int) -> None:
        openvino = import_module("openvino")
        beside = [source.path.with_suffix(suffix) for suffix in (".xml", ".onnx")]
        path = next((one for one in beside if one.is_file()), source.path)
        core = openvino.Core()
        model = core.read_model(str(path))
        # Converters leave the batch open.
        shape = model.inputs[0].get_partial_shape()
        model.reshape([1 if size.is_dynamic else size.get_length() for size in shape])
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        compiled = core.compile_model(model, "CPU", settings)
        tensor = compiled.inputs[0]
        kind = "uint8" if tensor.get_element_type().get_type_name() == "u8" else "float32"
        self._feed = _Feed(list(tensor.get_shape()), kind)
        request = compiled.create_infer_request()
        self._run: Callable[[], Any] = lambda: request.infer(
            [self._feed.tensor], share_inputs=True
        )[0]
        self.runtime = _version("openvino")
        self.delegate = "CPU"
        self.outputs, self.input_dtype = 0, self._feed.tensor.dtype.name
        self.invoke: Callable[[], object] | None = self._run

    def classify(self, frame: NDArray[np.uint8]) -> int:
        """Return the position of the highest score."""
        self._feed.fill(frame)
        return int(np.argmax(self._run()))

    def close(self) -> None:
        """Nothing has to be ended."""


class _Feed:
    """An input tensor that blastscope's preprocessing fills.

    Args:
        shape: (1, height, width, 3) or (1, 3, height, width).
        dtype: "uint8" for bytes as they are, "float32" for (byte - INPUT_MEAN) / INPUT_STD.
    """

    def __init__(self, shape: list[int], dtype: str) -> None:
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise ModelFileError(
                "An image classifier takes one RGB frame",
                got=f"an input of shape {shape}",
                next_step="Convert the model with batch size 1",
            )
        self._channels_first = shape[3] != 3
        height, width = shape[2:] if self._channels_first else shape[1:3]
        self._frame = np.empty((height, width, 3), np.uint8)
        self.tensor: NDArray[Any] = np.zeros((1, *shape[1:]), dtype)

    def fill(self, frame: NDArray[np.uint8]) -> None:
        preprocess(frame, *self._frame.shape[:2], out=self._frame)
        values = self._frame.transpose(2, 0, 1) if self._channels_first else self._frame
        if self.tensor.dtype == np.uint8:
            self.tensor[0] = values
        else:
            np.subtract(values, np.float32(INPUT_MEAN), out=self.tensor[0])
            self.tensor[0] /= np.float32(INPUT_STD)


def file_of_peer(peer: str, path: Path) -> Path:
    """Return the file that a peer reads for a model, to tell its size.

    Args:
        peer: one of `PEERS`.
        path: the TFLite file.
    """
    suffixes = {"onnxruntime": (".onnx",), "openvino": (".bin", ".onnx")}.get(peer, ())
    beside = [path.with_suffix(suffix) for suffix in suffixes]
    return next((one for one in beside if one.is_file()), path)


def _version(package: str) -> str:
    return f"{package} {metadata.version(package)}"
