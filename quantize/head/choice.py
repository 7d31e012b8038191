"""The head that is taken: of several strengths of its penalty the first that the gate passes."""

from __future__ import annotations

from collections.abc import Iterable
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
from quantize.head.frozen_backbone import FrozenBackbone
from quantize.head.graph import DenseHead, head_alone, put_head
from quantize.recovery.attempt import score
from train.evaluation.calibration import expected_calibration_error
from train.evaluation.temperature import fit_temperature
from train.image_set import ImageSet
from train.splits.split import Split


@dataclass(frozen=True, slots=True, eq=False)
class FittedHead:
    """A head in both forms, and how they compare.

    Attributes:
        head: in float.
        content: the int8 classifier with it.
        decision: of the gate.
        strength: inverse strength of the regression's penalty.
        accuracy: in folds of the training part.
        temperature: what the logits were divided by, and how calibrated they were.
        scores: of the int8 classifier for all images; float32, shape (n, classes).
    """

    head: DenseHead
    content: bytes
    decision: Decision
    strength: float
    accuracy: float
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
    """Try one strength after another, and return the first that holds the limits.

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
    selection = select_features(known, targets, features)
    tried: list[FittedHead] = []
    for strength, accuracy in rank_strengths(known, targets, groups, features, seed):
        head = fit_head(selection, known, targets, strength)
        tried.append(
            _compare(head, strength, accuracy, image_set, split, backbone, embeddings, criterion)
        )
        if tried[-1].decision.outcome == "passed":
            return tried[-1]
    return _least_bad(tried)


def _least_bad(tried: Iterable[FittedHead]) -> FittedHead:
    order = {"passed": 2, "too few images": 1, "failed": 0}
    return max(tried, key=lambda one: order[one.decision.outcome])


def _compare(
    head: DenseHead,
    strength: float,
    accuracy: float,
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
    about = {
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
    return FittedHead(head, content, decision, strength, accuracy, about, scores)


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
