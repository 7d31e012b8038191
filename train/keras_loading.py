"""Import of Keras without a screenful of TensorFlow's notes."""

from __future__ import annotations

import logging
import os

from edge.errors import INSTALL_EXTRAS, MissingPackageError
from edge.native_output import captured_native_output


def load_keras() -> None:
    """Import Keras with its backend; call it before the first module that uses Keras.

    Raises:
        MissingPackageError: Keras or its backend is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with captured_native_output():
            import keras  # noqa: F401

            # Several networks in one process make it warn of retracing at each.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
    except ImportError as error:
        raise MissingPackageError(
            "Training and evaluation of float models take Keras and TensorFlow",
            got=f"{error}",
            next_step=INSTALL_EXTRAS,
        ) from error
    except ValueError as error:
        raise MissingPackageError(
            "KERAS_BACKEND names a backend of Keras: tensorflow, jax or torch",
            got=os.environ.get("KERAS_BACKEND") or f"{error}",
            next_step="Unset it to use TensorFlow",
        ) from error
