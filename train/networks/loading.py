"""Trained networks, read from disk."""

from __future__ import annotations

from pathlib import Path

import keras

from edge.errors import ModelFileError


def load_network(path: Path) -> keras.Model:
    """Load a trained network.

    Raises:
        ModelFileError: it cannot be read.
    """
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        raise ModelFileError(
            f"The trained model {path} must be readable",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step="Train again, or go on with `blastscope train ... --resume`",
        ) from error
