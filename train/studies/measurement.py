"""One run measured: on the images as they are, recoloured, and with their corner altered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.output import write_json
from train.environment import describe_environment
from train.evaluation.metrics import classification_report
from train.evaluation.models import load_evaluation_model
from train.evaluation.parts import choose_part, find_groups
from train.image_set import ImageSet
from train.robustness.laboratory_shift import shift_laboratory
from train.robustness.scale_bar import blank_corner, swap_corner
from train.run_folder import RunFolder

#: The images as they are, and what is done to them; the order of the tables.
AS_THEY_ARE = "as they are"
LABORATORY_SHIFT = "laboratory shift"
CORNER_BLANKED = "corner blanked"
CORNER_SWAPPED = "corner swapped"

#: A change in any of these makes a measurement anew.
_CODE = (
    "edge.preprocess",
    "train.evaluation.auroc",
    "train.evaluation.calibration",
    "train.evaluation.intervals",
    "train.evaluation.metrics",
    "train.fitting",
    "train.robustness.laboratory_shift",
    "train.robustness.scale_bar",
    "train.robustness.stain_space",
    "train.studies.measurement",
)


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What one run came to on one part of its split.

    Attributes:
        clean: the report on the images as they are, from
            `train.evaluation.metrics.classification_report`.
        targets: true classes; int64, shape (n,).
        groups: a number for each image, the same for those that the split holds together; int64,
            shape (n,).
        predicted: for each alteration's name, the predicted classes; int64, shape (n,). "corner
            swapped" is absent where all images are of one class.
        rests_on: versions of the model, the images, the split and the code, and the seed.
        trained_with: version of blastscope that trained the run.
    """

    clean: dict[str, Any]
    targets: NDArray[np.int64]
    groups: NDArray[np.int64]
    predicted: dict[str, NDArray[np.int64]]
    rests_on: dict[str, Any]
    trained_with: str

    def accuracy(self, alteration: str) -> float | None:
        """Return the share of altered images that are classified rightly; None if not measured."""
        predicted = self.predicted.get(alteration)
        return None if predicted is None else float((predicted == self.targets).mean())


def measure_run(run: RunFolder, image_set: ImageSet, part: str) -> Measurement:
    """Measure a finished run, or read what was measured before from its folder.

    The laboratory shift and the swapped corners are drawn with the run's own seed.

    Args:
        run: the finished run.
        image_set: the images that it was trained on, at its network's input size.
        part: "validation" or "test".

    Returns:
        The measurement, which `measurement-PART.json` in the run folder then holds.

    Raises:
        TrainingError, SplitError, ModelFileError: the run folder is damaged.
        OutputError: the measurement cannot be written.
    """
    config = run.read_config()
    rests_on = {
        "part": part,
        "seed": config.seed,
        "model_sha256": hashlib.sha256(run.require_model().read_bytes()).hexdigest(),
        "data_sha256": config.data_digest,
        "split_sha256": config.split_digest,
        "code_sha256": code_digest(),
    }
    path = run.path / f"measurement-{part}.json"
    held = read_held(path, rests_on)
    if held is None:
        held = {
            "rests_on": rests_on,
            "trained_with": config.blastscope,
            "measured_with": describe_environment(),
            **_measure(run, image_set, part, config.seed),
        }
        write_json(path, held)
    return Measurement(
        clean=held["clean"],
        targets=np.array(held["images"]["target"], np.int64),
        groups=np.array(held["images"]["group"], np.int64),
        predicted={
            name: np.array(classes, np.int64)
            for name, classes in held["images"]["predicted"].items()
        },
        rests_on=held["rests_on"],
        trained_with=held["trained_with"],
    )


def code_digest(modules: Sequence[str] = _CODE) -> str:
    """SHA-256 of the code that a measurement rests on, and of OpenCV's version.

    Args:
        modules: names of the modules that hold it.
    """
    digest = hashlib.sha256(cv2.__version__.encode())
    for name in modules:
        digest.update(Path(str(import_module(name).__file__)).read_bytes())
    return digest.hexdigest()


def read_held(path: Path, rests_on: dict[str, Any]) -> dict[str, Any] | None:
    """Return a measurement that rests on the same versions; None where there is none."""
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return held if held["rests_on"] == rests_on else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measure(run: RunFolder, image_set: ImageSet, part: str, seed: int) -> dict[str, Any]:
    model = load_evaluation_model(run.path)
    chosen = choose_part(image_set, part, model.split)
    images, targets = image_set.images[chosen], image_set.targets[chosen]
    groups = find_groups(image_set, chosen, model.split)
    scores = model.score(images)
    alterations: dict[str, Callable[[], NDArray[np.uint8]]] = {
        LABORATORY_SHIFT: lambda: shift_laboratory(images, seed),
        CORNER_BLANKED: lambda: blank_corner(images),
    }
    if len(np.unique(targets)) > 1:
        alterations[CORNER_SWAPPED] = lambda: swap_corner(images, targets, seed)
    predicted = {AS_THEY_ARE: scores.argmax(axis=1)}
    for name, alter in alterations.items():
        predicted[name] = model.score(alter()).argmax(axis=1)
    return {
        "clean": classification_report(targets, scores, image_set.labels, groups),
        "images": {
            "sha256": [image_set.digests[place] for place in chosen],
            "target": targets.tolist(),
            "group": [] if groups is None else groups.tolist(),
            "predicted": {name: classes.tolist() for name, classes in predicted.items()},
        },
    }
