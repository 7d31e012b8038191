"""The head that is taken: of several strengths of its penalty the first that the gate passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError
from edge.interpreter import Interpreter
from quantize.accuracy_gate.comparison import compare
from quantize.accuracy_gate.criterion import Criterion
from quantize.accuracy_gate.decision import Decision, decide
from quantize.head.embeddings import Embeddings
from quantize.head.fitting import fit_head, rank_strengths, select_features
from quantize.head.frozen_backbone import LENGTH, FrozenBackbone
from quantize.head.graph import DenseHead, head_alone, put_head
from quantize.recovery.attempt import score
from train.evaluation.calibration import expected_calibration_error
from train.evaluation.temperature import fit_temperature
from train.image_set import ImageSet
from train.splits.split import Split

#: Outcomes of the gate, the better ones with greater numbers.
_ORDER = {"failed": 0, "too few images": 1, "passed": 2}


@dataclass(frozen=True, slots=True, eq=False)
class FittedHead:
    """A head in both forms, and how they compare.

    Attributes:
        head: in float.
        content: the int8 classifier with it.
        decision: of the gate.
        strength: inverse strength of the regression's penalty.
        accuracy: in folds of the training part.
        fitted_to: whose embeddings it was fitted to, in words.
        temperature: what the logits were divided by, and how calibrated they were.
        scores: of the int8 classifier for all images; float32, shape (n, classes).
    """

    head: DenseHead
    content: bytes
    decision: Decision
    strength: float
    accuracy: float
    fitted_to: str
    temperature: dict[str, Any]
    scores: NDArray[np.float32]


def choose_head(
    image_set: ImageSet,
    split: Split,
    backbone: FrozenBackbone,
    embeddings: Embeddings,
    features: int,
    seed: int,
    criterion: Criterion,
) -> FittedHead:
    """Try one head after another, and return the first that holds the limits.

    First come the strengths in the order of their accuracy in folds of the training part; then
    the same fitted to the embeddings of both backbones, which evens out what int8 makes of them;
    then the same with every feature. All tries are held against the same images.

    Args:
        image_set: n images.
        split: of these images.
        backbone: what the head is put on.
        embeddings: of these images by it.
        features: how many the head sees.
        seed: of the folds that rank the strengths.
        criterion: what the head must hold.

    Returns:
        The first that passes; else one that misses nothing for which there are enough images;
        else one that fails.

    Raises:
        DatasetError: a class is not in the training part.
        TrainingError: no feature is left, or a class has too few images.
    """
    train_part = split.indices("train")
    known, targets = embeddings.int8[train_part], image_set.targets[train_part]
    if len(np.unique(targets)) < len(image_set.labels):
        raise DatasetError(
            "The training part has images of each class",
            got=f"{len(np.unique(targets))} of {len(image_set.labels)} classes",
            next_step="Add images",
        )
    groups = np.array(split.groups, np.int64)[train_part]
    ranked = rank_strengths(known, targets, groups, features, seed)
    both = np.concatenate([known, embeddings.float32[train_part]])
    heads: list[FittedHead] = []
    for fitted_to, values, count in (
        ("int8 features", known, features),
        ("int8 and float features", both, features),
        ("int8 and float features", both, LENGTH),
    ):
        classes = np.tile(targets, len(values) // len(targets))
        selection = select_features(values, classes, count)
        for strength, accuracy in ranked:
            # Twice the rows weigh twice against the penalty.
            head = fit_head(selection, values, classes, strength * len(targets) / len(values))
            about = (strength, accuracy, fitted_to)
            tried = _compare(head, about, image_set, split, backbone, embeddings, criterion)
            heads.append(tried)
            if tried.decision.outcome == "passed":
                return tried
    return max(heads, key=lambda one: _ORDER[one.decision.outcome])


def _compare(
    head: DenseHead,
    about: tuple[float, float, str],
    image_set: ImageSet,
    split: Split,
    backbone: FrozenBackbone,
    embeddings: Embeddings,
    criterion: Criterion,
) -> FittedHead:
    """Calibrate a head, quantize it, and hold int8 against float on all images."""
    validation = split.indices("validation")
    targets = image_set.targets[validation]
    before = head.scores(embeddings.int8[validation])
    temperature = fit_temperature(before, targets)
    head = head.divided(temperature)
    calibration = {
        "part": "validation",
        "n": len(validation),
        "temperature": temperature,
        "ece_before": expected_calibration_error(before, targets),
        "ece_after": expected_calibration_error(head.scores(embeddings.int8[validation]), targets),
    }
    logits = head.logits(embeddings.int8[split.indices("train")])
    content = put_head(backbone.int8, head, float(logits.min()), float(logits.max()))
    scores = head_scores(content, embeddings.int8)
    unseen = compare(image_set.targets, head.scores(embeddings.float32), scores, image_set.labels)
    held_out = unseen.take(split.indices(split.judging))
    decision = decide(held_out, unseen, criterion, part=split.judging)
    return FittedHead(head, content, decision, *about, calibration, scores)


def head_scores(content: bytes, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a model says of images whose embeddings are known.

    Args:
        content: as `quantize.head.graph.put_head` returns it.
        embeddings: of its backbone, as real values; float32, shape (n, length).

    Returns:
        float32, shape (n, classes).
    """
    alone = head_alone(content)
    spec = Interpreter(alone, "the head").input
    stored = np.rint(embeddings / np.float32(spec.scale)) + spec.zero_point
    return score(alone, stored.astype(np.int8))
