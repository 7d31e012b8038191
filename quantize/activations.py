"""What a float TFLite network computes inside, image by image."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.native_output import captured_native_output
from train.fitting import normalize

#: Values of each activation and image that a percentile is taken of.
_SAMPLE = 2048


def watch(content: bytes, images: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield what every operation gives out, for one image after another.

    Args:
        content: a TFLite network with float input, as `quantize.convert.calibrate` or
            `quantize.convert.debug_calibrated` returns it.
        images: RGB, uint8, shape (n, side, side, 3).

    Yields:
        The arrays by the names of the tensors, weights among them; valid until the next image.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with captured_native_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = Interpreter(
            model_content=content,
            num_threads=1,
            experimental_preserve_all_tensors=True,
            # A delegate would keep what is inside to itself.
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    produced = {
        int(tensor)
        for operation in interpreter._get_ops_details()
        for tensor in operation["outputs"]
    }
    details = [one for one in interpreter.get_tensor_details() if one["index"] in produced]
    for image in images:
        interpreter.set_tensor(entry["index"], normalize(image[np.newaxis]))
        interpreter.invoke()
        yield {one["name"]: interpreter.get_tensor(one["index"]) for one in details}


def ranges(
    content: bytes, images: NDArray[np.uint8], percentile: float = 100.0
) -> dict[str, tuple[float, float]]:
    """Return the range of each operation's output.

    Args:
        content: a float TFLite network.
        images: RGB, uint8, shape (n, side, side, 3), n above 0.
        percentile: how many of 100 values are to be within; 100 takes all, and less cuts half of
            the rest off at either end, measured on a sample of each image's values.

    Returns:
        Least and greatest value by the name of the output.
    """
    if percentile >= 100.0:
        low: dict[str, float] = {}
        high: dict[str, float] = {}
        for outputs in watch(content, images):
            for name, values in outputs.items():
                low[name] = min(low.get(name, np.inf), float(values.min()))
                high[name] = max(high.get(name, -np.inf), float(values.max()))
        return {name: (low[name], high[name]) for name in low}
    generator = np.random.default_rng(0)
    samples: dict[str, list[NDArray[Any]]] = {}
    for outputs in watch(content, images):
        for name, values in outputs.items():
            flat = values.reshape(-1)
            if flat.size > _SAMPLE:
                flat = flat[generator.integers(0, flat.size, _SAMPLE)]
            samples.setdefault(name, []).append(flat.copy())
    tail = (100.0 - percentile) / 2
    found = {}
    for name, parts in samples.items():
        least, greatest = np.percentile(np.concatenate(parts), (tail, 100.0 - tail))
        found[name] = (float(least), float(greatest))
    return found


def channel_peaks(content: bytes, images: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float64]]:
    """Return the greatest magnitude in each channel of each operation's output.

    Args:
        content: a float TFLite network.
        images: RGB, uint8, shape (n, side, side, 3), n above 0.

    Returns:
        float64, shape (channels,), by the name of the output.
    """
    peaks: dict[str, NDArray[np.float64]] = {}
    for outputs in watch(content, images):
        for name, values in outputs.items():
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0).astype(np.float64)
            peaks[name] = np.maximum(peaks[name], peak) if name in peaks else peak
    return peaks
