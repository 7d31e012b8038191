"""Weights of a known network, read out of a file."""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path

import keras

from edge.errors import TrainingError


def load_weights_file(network: keras.Model, path: Path, whose: str, next_step: str) -> None:
    """Give a network the weights that a file holds.

    Args:
        network: changed in place.
        path: a `.weights.h5` file.
        whose: weights they must be, for people to read.
        next_step: what to do where they are not.

    Raises:
        TrainingError: the file is none, or is of another architecture.
    """
    try:
        with warnings.catch_warnings():
            # Keras warns of every layer that does not fit, and then raises.
            warnings.simplefilter("ignore")
            network.load_weights(path)
    except Exception as error:
        raise TrainingError(
            f"The weights must be {whose}",
            got=f"{path}: {textwrap.shorten(str(error), 200, placeholder=' ...')}",
            next_step=next_step,
        ) from error
