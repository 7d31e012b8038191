"""How long each attempt takes a frame, measured in turns."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.interpreter import Interpreter
from quantize.recovery.attempt import Attempt

_ROUNDS, _WARM_UP = 40, 3


def invoke_milliseconds(attempts: Sequence[Attempt], image: NDArray[np.uint8]) -> list[float]:
    """Return the median time of each attempt's network on one thread.

    Args:
        attempts: the quantized networks; in each round every one of them has its turn.
        image: RGB, uint8, shape (side, side, 3).

    Returns:
        Milliseconds of this machine, good for their ratios.
    """
    interpreters = [Interpreter(one.content, one.detail, threads=1) for one in attempts]
    for interpreter in interpreters:
        interpreter.input_view()[...] = image
    spent = np.empty((_ROUNDS + _WARM_UP, len(interpreters)))
    for round_number in range(_ROUNDS + _WARM_UP):
        for index, interpreter in enumerate(interpreters):
            started = time.perf_counter_ns()
            interpreter.invoke()
            spent[round_number, index] = (time.perf_counter_ns() - started) / 1e6
    return [float(value) for value in np.median(spent[_WARM_UP:], axis=0)]
