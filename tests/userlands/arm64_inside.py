"""What is computed both here and inside an emulated Pi; as a program it prints one JSON object."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.golden_frames import THREADS, decode_golden_frame, run_golden_frame
from edge.interpreter import Interpreter
from edge.model_file import read_model_file
from edge.preprocess import preprocess
from edge.quality import assess
from edge.shipped_models import SHIPPED_MODELS, shipped_model

SIZES = ((3040, 4056), (1080, 1920), (480, 640), (225, 223), (224, 224), (100, 80), (80, 100))
INPUTS = (128, 224)


def noise(height: int, width: int) -> NDArray[np.uint8]:
    """Return random pixels, the hardest case for an interpolation."""
    return np.random.default_rng([height, width]).integers(0, 256, (height, width, 3), np.uint8)


def frames(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield named frames: noise, views of it that are not contiguous, and the folder's fields."""
    for height, width in SIZES:
        yield f"noise {width} x {height}", noise(height, width)
    whole = noise(1080, 1920)
    yield "crop", whole[7:1001, 13:1499]
    yield "every second pixel", whole[::2, ::2]
    yield "mirrored", whole[:, ::-1]
    yield "turned", whole.transpose(1, 0, 2)
    yield "red and blue swapped", whole[:, :, ::-1]
    for path in sorted(folder.glob("*.npy")):
        yield path.stem, np.load(path)


def digest(array: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of an array's values."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def preprocess_all(folder: Path) -> dict[str, list[str]]:
    """Return, by frame and input size, the digests of the frame and of what preprocess makes."""
    return {
        f"{name} -> {side}": [digest(frame), digest(preprocess(frame, side, side))]
        for name, frame in frames(folder)
        for side in INPUTS
    }


def assess_all(folder: Path) -> dict[str, dict[str, float]]:
    """Return the measures of quality of each frame."""
    return {name: assess(frame).as_json() for name, frame in frames(folder)}


def infer_all(folder: Path, model_path: Path) -> dict[str, list[int]]:
    """Return the int8 network's raw outputs for each frame."""
    outputs: dict[str, list[int]] = {}
    with Classifier.load(model_path) as classifier:
        for name, frame in frames(folder):
            classifier.classify(frame)
            outputs[name] = classifier.interpreter.output_view().tolist()
    return outputs


def run_golden_frames() -> dict[str, list[list[list[int]]]]:
    """Return, for each model that comes along, what its golden frames must give, and give here."""
    outputs = {}
    for name in SHIPPED_MODELS:
        model = read_model_file(shipped_model(name))
        interpreter = Interpreter(model.content, name, THREADS)
        outputs[name] = [
            [
                frame["output"],
                run_golden_frame(
                    interpreter,
                    decode_golden_frame(model.members[frame["file"]], frame["file"]),
                    model.height,
                    model.width,
                )[1],
            ]
            for frame in model.card["golden"]["frames"]
        ]
    return outputs


def describe(model_path: Path) -> dict[str, str]:
    """Return what ran: versions, and the delegate that the interpreter really used."""
    model = read_model_file(model_path)
    interpreter = Interpreter(model.content, str(model.path))
    versions = {"python": "{}.{}".format(*sys.version_info), "numpy": np.__version__}
    ran = {"runtime": interpreter.runtime, "delegate": interpreter.delegate}
    return {**versions, "opencv": cv2.__version__, **ran}


def report(folder: Path, model_path: Path) -> dict[str, dict[str, object]]:
    """Return everything."""
    return {
        "described": dict(describe(model_path)),
        "preprocessed": dict(preprocess_all(folder)),
        "assessed": assess_all(folder),
        "inferred": dict(infer_all(folder, model_path)),
        "golden": dict(run_golden_frames()),
    }


if __name__ == "__main__":
    here = Path(__file__).parent
    sys.stdout.write(json.dumps(report(here, here / "model.tflite")) + "\n")
