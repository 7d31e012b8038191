"""Checks of the machine that blastscope runs on."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.errors import BlastscopeError

State = Literal["ok", "note", "wrong"]

#: Oldest Python that blastscope runs on.
_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome.

    Attributes:
        check: what was looked at.
        state: "ok", "note" (works, but know this) or "wrong".
        found: what is there.
        fix: what to do; empty where nothing need be done.
    """

    check: str
    state: State
    found: str
    fix: str = ""


def examine(model_path: Path) -> list[Finding]:
    """Look at Python, the libraries, the cameras and the model.

    Args:
        model_path: the model to try.

    Returns:
        One finding per check, in order; a check that breaks is itself a finding.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", _check_python),
        ("OpenCV", _check_opencv),
        ("TFLite runtime", _check_runtime),
        ("cameras", _check_cameras),
        ("model", lambda: _check_model(model_path)),
    ]
    findings = []
    for name, check in checks:
        try:
            findings.append(check())
        except BlastscopeError as error:
            fix = error.next_step or "See the message"
            findings.append(Finding(name, "wrong", f"{error.rule}. Got: {error.got}", fix))
        except Exception as error:  # whatever is broken here is what a doctor is asked about
            found = f"{type(error).__name__}: {error}"
            findings.append(Finding(name, "wrong", found, "Install the package it names again"))
    return findings


def _check_python() -> Finding:
    found = f"{platform.python_version()} on {platform.machine()}, {platform.system()}"
    if sys.version_info < _OLDEST_PYTHON:
        return Finding("Python", "wrong", found, "Install Python 3.11 or newer")
    return Finding("Python", "ok", found)


def _check_opencv() -> Finding:
    try:
        import cv2
        import numpy as np
    except ImportError as error:
        return Finding(
            "OpenCV", "wrong", str(error), "Install it with `pip install opencv-python-headless`"
        )
    return Finding("OpenCV", "ok", f"{cv2.__version__}, numpy {np.__version__}")


def _check_runtime() -> Finding:
    from edge.interpreter import find_runtime

    _, runtime = find_runtime()
    if runtime.startswith("tflite-runtime") and sys.maxsize > 2**32:
        return Finding(
            "TFLite runtime",
            "note",
            f"{runtime}, which is no longer maintained",
            "On a 64-bit system `pip install ai-edge-litert` is faster",
        )
    return Finding("TFLite runtime", "ok", runtime)


def _check_cameras() -> Finding:
    from edge.cameras.discovery import find_cameras, picamera2_fault

    cameras = find_cameras()
    if fault := picamera2_fault():
        return Finding(
            "cameras",
            "wrong",
            f"picamera2 is installed and cannot be used: {fault}",
            "If it names numpy, remove numpy from the environment so that the system's own is "
            "used; else run `sudo apt install --reinstall python3-picamera2`",
        )
    if not cameras:
        return Finding(
            "cameras",
            "note",
            "none; --camera replay and --camera simulated work",
            "Connect a USB camera, or on a Pi `sudo apt install python3-picamera2` and run "
            "`rpicam-hello --list-cameras`",
        )
    listed = [f"{camera.kind} {camera.address} ({camera.description})" for camera in cameras]
    return Finding("cameras", "ok", ", ".join(listed))


def _check_model(path: Path) -> Finding:
    import numpy as np

    from edge.classifier import Classifier

    with Classifier.load(path) as classifier:
        model, interpreter = classifier.model, classifier.interpreter
        classifier.classify(np.zeros((model.height, model.width, 3), np.uint8))
        found = (
            f"{model.model_id}, {', '.join(model.labels)}, {model.width} x {model.height}, "
            f"delegate {interpreter.delegate}, {interpreter.threads} threads"
        )
        if interpreter.delegate == "none":
            return Finding(
                "model", "note", found, "It runs, but slowly: this runtime gave no XNNPACK delegate"
            )
        return Finding("model", "ok", found)
