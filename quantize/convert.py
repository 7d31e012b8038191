"""Conversion of a Keras network to full int8 TFLite, in two steps: calibrate, then quantize."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge.errors import QuantizationError
from edge.interpreter import Interpreter
from edge.native_output import captured_native_output
from edge.preprocess import INPUT_MEAN, INPUT_STD
from train.fitting import normalize


def convert_to_int8(network: keras.Model, calibration_images: NDArray[np.uint8]) -> bytes:
    """Convert a network with weights and activations as int8, weights per channel.

    Args:
        network: as `train.networks` builds them.
        calibration_images: RGB, uint8, shape (n, side, side, 3), n above 0.

    Returns:
        As `quantize_calibrated` does.

    Raises:
        QuantizationError: TensorFlow is not the backend, or the converter refuses the network.
    """
    return quantize_calibrated(calibrate(network, calibration_images))


def calibrate(network: keras.Model, images: NDArray[np.uint8]) -> bytes:
    """Convert a network to float TFLite with the range that each activation took.

    Args:
        network: as `train.networks` builds them.
        images: RGB, uint8, shape (n, side, side, 3), n above 0.

    Returns:
        A float TFLite model, batch normalization folded into the weights, whose activations carry
        their least and greatest values.

    Raises:
        QuantizationError: TensorFlow is not the backend, or the converter refuses the network.
    """
    if keras.backend.backend() != "tensorflow":
        raise QuantizationError(
            "Conversion to TFLite takes the TensorFlow backend of Keras",
            got=keras.backend.backend(),
            next_step="Run `KERAS_BACKEND=tensorflow blastscope quantize ...`; a run that was "
            "trained on another backend is fine",
        )
    import tensorflow as tf

    def convert() -> Any:
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset(images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # As tf.lite.experimental.QuantizationDebugger sets it to calibrate once for many models.
        converter._experimental_calibrate_only = True
        return converter.convert()

    return run_converter(convert)


def representative_dataset(
    images: NDArray[np.uint8],
) -> Callable[[], Iterator[list[NDArray[np.float32]]]]:
    """Return calibration images as TensorFlow's converter takes them.

    The input's range is to be that of a frame's bytes whatever the images. The converter derives it
    from the values it sees, so one black and one white pixel are set in the first image.

    Args:
        images: RGB, uint8, shape (n, side, side, 3), n above 0; they stay as they are.
    """
    seen = images.copy()
    seen[0, 0, 0] = 0
    seen[0, 0, 1] = 255

    def dataset() -> Iterator[list[NDArray[np.float32]]]:
        for image in seen:
            yield [normalize(image[np.newaxis])]

    return dataset


def quantize_calibrated(calibrated: bytes, float_layers: Sequence[str] = ()) -> bytes:
    """Quantize a calibrated network, all of it or all but some layers.

    Args:
        calibrated: as `calibrate` returns it.
        float_layers: names of output tensors of the operations that stay in float.

    Returns:
        A TFLite model: input uint8 (1, side, side, 3), output uint8 (1, classes), where the
        stored score s stands for s / 256. The input takes a frame's bytes as they are: its scale
        and zero point are the networks' normalization, exactly. It carries no metadata yet.

    Raises:
        QuantizationError: the quantizer refuses the network.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    content = run_converter(
        lambda: mlir_quantize(
            calibrated,
            input_data_type=tf.uint8,
            output_data_type=tf.uint8,
            denylisted_nodes=list(float_layers) or None,
        )
    )
    _check_input(content)
    return content


def debug_calibrated(calibrated: bytes) -> bytes:
    """Quantize a calibrated network, with its float operations beside for comparison.

    Args:
        calibrated: as `calibrate` returns it.

    Returns:
        A TFLite model with NumericVerify operations, for `tf.lite.experimental.
        QuantizationDebugger`.

    Raises:
        QuantizationError: the quantizer refuses the network.
    """
    from tensorflow.lite.python.convert import mlir_quantize

    return run_converter(lambda: mlir_quantize(calibrated, enable_numeric_verify=True))


def run_converter(convert: Callable[[], Any], precision: str = "int8") -> bytes:
    """Run TensorFlow's converter quietly.

    Args:
        convert: gives a TFLite model.
        precision: what to call it in an error.

    Raises:
        QuantizationError: the converter refuses the network.
    """
    with captured_native_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bytes(convert())
        except Exception as error:
            raise QuantizationError(
                f"The network must consist of operations that {precision} TFLite has",
                got=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
                next_step="Train one of blastscope's own networks",
            ) from error


def _check_input(content: bytes) -> None:
    """Make sure that bytes enter the int8 network as they enter the float one."""
    spec = Interpreter(content, "just converted").input
    if (spec.scale, spec.zero_point) != (1 / INPUT_STD, INPUT_MEAN):
        raise QuantizationError(
            f"The input's scale is 1/{INPUT_STD} and its zero point {INPUT_MEAN}",
            got=f"scale {spec.scale} and zero point {spec.zero_point}",
            next_step="Report this with the TensorFlow version",
        )
