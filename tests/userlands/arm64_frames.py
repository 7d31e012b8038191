"""Frames through a network or a whole classifier, for counting: MODEL bare|decision W H FRAMES."""

from __future__ import annotations

import sys

import numpy as np

from edge.classifier import Classifier
from edge.interpreter import Interpreter
from edge.model_file import read_model_file
from edge.shipped_models import find_model


def main(name: str, kind: str, width: int, height: int, frames: int) -> None:
    """Classify a frame so many times, on one thread."""
    model = read_model_file(find_model(name))
    # Blocks, so that there are edges and colours to measure.
    small = np.random.default_rng(0).integers(90, 240, (-(-height // 16), -(-width // 16), 3))
    frame = np.repeat(np.repeat(small.astype(np.uint8), 16, 0), 16, 1)[:height, :width].copy()
    if kind == "bare":
        interpreter = Interpreter(model.content, name, 1)
        for _ in range(frames):
            interpreter.invoke()
    else:
        with Classifier(model, 1) as classifier:
            for _ in range(frames):
                classifier.classify(frame)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
