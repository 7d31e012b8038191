"""What a run was made with."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import keras

_PACKAGES = (
    "blastscope",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "torch",
    "numpy",
    "opencv-python-headless",
    "imbalanced-learn",
    "scikit-learn",
    "ai-edge-litert",
)


def describe_environment() -> dict[str, Any]:
    """Return versions, backend and processor of this process, as JSON types."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "backend": keras.backend.backend(),
        "packages": versions,
    }
