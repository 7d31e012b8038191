"""Conversion of a Keras network to full int8 TFLite."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

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

    The input takes a frame's bytes as they are: its scale and zero point are the networks'
    normalization, exactly. The converter derives both from the values it sees, so one black and
    one white pixel are set in the first calibration image.

    Args:
        network: as `train.networks` builds them.
        calibration_images: RGB, uint8, shape (n, side, side, 3), n above 0.

    Returns:
        A TFLite model: input uint8 (1, side, side, 3), output uint8 (1, classes), where the
        stored score s stands for s / 256. It carries no metadata yet.

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

    images = calibration_images.copy()
    images[0, 0, 0] = 0
    images[0, 0, 1] = 255

    def representative_dataset() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [normalize(image[np.newaxis])]

    with captured_native_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
        try:
            content = bytes(converter.convert())
        except Exception as error:
            raise QuantizationError(
                "The network must consist of operations that int8 TFLite has",
                got=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
                next_step="Train one of blastscope's own networks",
            ) from error
    _check_input(content)
    return content


def _check_input(content: bytes) -> None:
    """Make sure that bytes enter the int8 network as they enter the float one."""
    spec = Interpreter(content, "just converted").input
    if (spec.scale, spec.zero_point) != (1 / INPUT_STD, INPUT_MEAN):
        raise QuantizationError(
            f"The input's scale is 1/{INPUT_STD} and its zero point {INPUT_MEAN}",
            got=f"scale {spec.scale} and zero point {spec.zero_point}",
            next_step="Report this with the TensorFlow version",
        )
