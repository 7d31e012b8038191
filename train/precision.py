"""Which numbers a training computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import keras

Precision = Literal["float32", "mixed"]


def best_precision() -> Precision:
    """Return "mixed" where Keras's backend computes on a GPU, and "float32" elsewhere."""
    # Keras lists no devices for PyTorch; each backend's tensors say where they lie.
    device = str(keras.ops.zeros(()).device).lower()
    return "mixed" if any(kind in device for kind in ("gpu", "cuda", "rocm")) else "float32"


@contextmanager
def compute_with(precision: Precision) -> Iterator[None]:
    """Build layers that compute with a precision; their weights are float32 in either.

    "mixed" computes in bfloat16, whose range is float32's, so that losses need no scaling
    (Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", arXiv 1905.12322).
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "mixed" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
