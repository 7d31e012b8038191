"""How far each quantized layer is from its float self."""

from __future__ import annotations

import csv
import io
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.native_output import captured_native_output
from quantize.convert import debug_calibrated
from train.fitting import normalize

#: What rounding alone comes to: the deviation of a uniform error of one step.
IDEAL = 1 / math.sqrt(12)


@dataclass(frozen=True, slots=True)
class LayerError:
    """One layer's error, given the inputs that the quantized network feeds it.

    Attributes:
        name: of the output tensor of its operation.
        kind: TFLite's name for the operation.
        scale: real value of one step of its output.
        steps: root mean square error in such steps; `IDEAL` is what rounding alone makes.
    """

    name: str
    kind: str
    scale: float
    steps: float


def rank_layers(calibrated: bytes, images: NDArray[np.uint8]) -> tuple[LayerError, ...]:
    """Return the layers by their error, the worst first.

    By `tf.lite.experimental.QuantizationDebugger`, which runs each float layer beside its quantized
    version on the same inputs.

    Args:
        calibrated: as `quantize.convert.calibrate` returns it.
        images: RGB, uint8, shape (n, side, side, 3), n above 0; calibration images.

    Raises:
        QuantizationError: the quantizer refuses the network.
    """
    import tensorflow as tf

    def dataset() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [normalize(image[np.newaxis])]

    with captured_native_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        debugger = tf.lite.experimental.QuantizationDebugger(
            quant_debug_model_content=debug_calibrated(calibrated), debug_dataset=dataset
        )
        debugger.run()
        dump = io.StringIO()
        debugger.layer_statistics_dump(dump)
    dump.seek(0)
    errors = [
        LayerError(
            row["tensor_name"],
            row["op_name"],
            float(row["scale"]),
            math.sqrt(float(row["mean_squared_error"])) / float(row["scale"]),
        )
        for row in csv.DictReader(dump)
    ]
    return tuple(sorted(errors, key=lambda one: -one.steps))
