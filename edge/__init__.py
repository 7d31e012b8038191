"""The runtime: from a frame of a blood smear to a classified frame.

Example:
    >>> from edge import Classifier, read_image
    >>> with Classifier.load() as classifier:
    ...     prediction = classifier.classify(read_image("field.jpg"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.cameras import open_camera
    from edge.cells import WhiteCell, crop_cell, find_white_cells
    from edge.classifier import Classifier
    from edge.errors import BlastscopeError
    from edge.image_file import read_image
    from edge.labels import DISCLAIMER, SMEAR_LABELS
    from edge.model_file import ModelFile, read_model_file
    from edge.prediction import Prediction
    from edge.specimen import Specimen

__all__ = [
    "DISCLAIMER",
    "SMEAR_LABELS",
    "BlastscopeError",
    "Classifier",
    "ModelFile",
    "Prediction",
    "Specimen",
    "WhiteCell",
    "__version__",
    "crop_cell",
    "find_white_cells",
    "open_camera",
    "read_image",
    "read_model_file",
]

__version__ = "0.1.0"

# Names are fetched on first use: the command line's --help must not wait for numpy and OpenCV.
_HOMES = {
    "DISCLAIMER": "labels",
    "SMEAR_LABELS": "labels",
    "BlastscopeError": "errors",
    "Classifier": "classifier",
    "ModelFile": "model_file",
    "Prediction": "prediction",
    "Specimen": "specimen",
    "WhiteCell": "cells",
    "crop_cell": "cells",
    "find_white_cells": "cells",
    "open_camera": "cameras",
    "read_image": "image_file",
    "read_model_file": "model_file",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    home = import_module(f"edge.{_HOMES[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value
