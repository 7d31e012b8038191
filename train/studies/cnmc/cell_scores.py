"""What networks say of the test cells of one run, float and quantized."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.output import write_json
from train.environment import describe_environment
from train.evaluation.models import load_evaluation_model
from train.evaluation.parts import choose_part
from train.image_set import ImageSet
from train.run_folder import RunFolder
from train.studies.measurement import code_digest, read_held

FLOAT = "float"

#: Returns the scores of a quantized version of a run's network for some of its images (float32,
#: shape (n, classes)), and what there is to say of it, given their positions in the run's split.
Quantized = Callable[[RunFolder, Path, NDArray[np.int64]], tuple[NDArray[np.float32], str]]

#: A change in any of these makes the scores anew.
_CODE = ("edge.cell_crop", "edge.preprocess", "train.fitting", "train.studies.cnmc.cell_scores")


@dataclass(frozen=True, slots=True, eq=False)
class CellScores:
    """One run's scores.

    Attributes:
        digests: SHA-256 of each test image's file.
        targets: true classes; int64, shape (n,).
        scores: for each precision, class probabilities; float32, shape (n, classes).
        notes: for each precision but float, how it came about.
        rests_on: versions of the model, the images, the split and the code.
        trained_with: version of blastscope that trained the run.
    """

    digests: tuple[str, ...]
    targets: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float32]]
    notes: Mapping[str, str]
    rests_on: Mapping[str, Any]
    trained_with: str


def score_cells(
    run: RunFolder, image_set: ImageSet, part: str, quantized: Mapping[str, Quantized]
) -> CellScores:
    """Score one part of a run's images, or read what was scored before from its folder.

    Args:
        run: the finished run.
        image_set: the images that it was trained on, as its network sees them.
        part: "validation" or "test".
        quantized: what makes each other precision, by its name.

    Returns:
        The scores, which `cells-PART.json` in the run folder then holds.

    Raises:
        TrainingError, SplitError, ModelFileError: the run folder is damaged.
        QuantizationError: the network cannot be quantized.
        OutputError: the scores cannot be written.
    """
    config = run.read_config()
    rests_on = {
        "part": part,
        "precisions": [FLOAT, *quantized],
        "model_sha256": hashlib.sha256(run.require_model().read_bytes()).hexdigest(),
        "data_sha256": config.data_digest,
        "split_sha256": config.split_digest,
        "code_sha256": code_digest(_CODE),
    }
    path = run.path / f"cells-{part}.json"
    held = read_held(path, rests_on)
    if held is None:
        held = {
            "rests_on": rests_on,
            "trained_with": config.blastscope,
            "measured_with": describe_environment(),
            **_score(run, image_set, part, quantized),
        }
        write_json(path, held)
    return CellScores(
        digests=tuple(held["sha256"]),
        targets=np.array(held["targets"], np.int64),
        scores={name: np.array(rows, np.float32) for name, rows in held["scores"].items()},
        notes=held["notes"],
        rests_on=held["rests_on"],
        trained_with=held["trained_with"],
    )


def _score(
    run: RunFolder, image_set: ImageSet, part: str, quantized: Mapping[str, Quantized]
) -> dict[str, Any]:
    model = load_evaluation_model(run.path)
    chosen = choose_part(image_set, part, model.split)
    scores = {FLOAT: model.score(image_set.images[chosen])}
    notes = {}
    if quantized:
        places = {digest: place for place, digest in enumerate(run.read_split().digests)}
        wanted = np.array([places[image_set.digests[place]] for place in chosen], np.int64)
        for name, make in quantized.items():
            scores[name], notes[name] = make(run, image_set.folder, wanted)
    return {
        "sha256": [image_set.digests[place] for place in chosen],
        "targets": image_set.targets[chosen].tolist(),
        "scores": {name: rows.astype(float).tolist() for name, rows in scores.items()},
        "notes": notes,
    }
