"""From labelled images to a one-file model with a new head, within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge import __version__
from edge.errors import OutputError, QuantizationError
from edge.model_file import ModelFile
from edge.output import require_absent, require_writable
from edge.quality import QualityLimits
from quantize.abstention import (
    Abstention,
    Embedded,
    assemble_abstention,
    find_embedding,
)
from quantize.accuracy_gate.criterion import Criterion
from quantize.accuracy_gate.decision import Decision
from quantize.accuracy_gate.refusal import require_passed
from quantize.activation import find_activation
from quantize.card import run_card
from quantize.head.choice import FittedHead, choose_head
from quantize.head.division import divide_images, quality_limits
from quantize.head.embeddings import Embeddings, embed_images
from quantize.head.fitting import FEATURES
from quantize.head.frozen_backbone import (
    CALIBRATION_PER_CLASS,
    SIDE,
    frozen_backbone,
)
from quantize.packing import pack_model, write_model
from quantize.recovery.attempt import score
from train.deep_features.weights import Weights
from train.image_decoding import Progress
from train.image_set import ImageSet, read_image_set
from train.run_folder import RunConfig
from train.splits.kinds import Fold
from train.splits.split import DEFAULT_TEST_FRACTION, Split

#: What the card and the tables call such a model.
NAME = "mobilenet-v2-head"

#: Images that go through the whole model, to see that its head alone says the same.
_WHOLE = 12


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """What a head is asked to be.

    Attributes:
        weights: of the backbone.
        features: how many of its features the head sees.
        split: one of `train.splits.kinds.SPLIT_KINDS`, or the path of a split's file.
        fold: which part is tested; None for a single division.
        test_fraction: share of the images in the test part.
        seed: of all that is random.
        model_version: counts up with each release.
        accept_too_few: write it as well where there are too few images to tell.
    """

    weights: Weights
    features: int = FEATURES
    split: str = "random"
    fold: Fold | None = None
    test_fraction: float = DEFAULT_TEST_FRACTION
    seed: int = 0
    model_version: int = 1
    accept_too_few: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class HeadResult:
    """A model with a new head.

    Attributes:
        model: the file.
        decision: what the gate found.
        float_report: of the float head on the float backbone; of the test part (that of
            validation where there is none), as `train.evaluation.metrics.classification_report`
            has it.
        int8_report: the same for the model file.
        features: how many features the head sees.
        strength: inverse strength of the regression's penalty.
        seconds: of each step, by name.
        embedded: how many images went through a backbone; the others were known.
    """

    model: ModelFile
    decision: Decision
    float_report: dict[str, Any]
    int8_report: dict[str, Any]
    features: int
    strength: float
    seconds: dict[str, float]
    embedded: int


def train_head(
    data: Path,
    out: Path,
    options: HeadOptions,
    *,
    criterion: Criterion | None = None,
    overwrite: bool = False,
    read_progress: Progress | None = None,
    embed_progress: Progress | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> HeadResult:
    """Fit a linear head to a frozen int8 backbone and write it as one model file.

    The float head is the same dense layer on the float backbone's embeddings. Where it and the
    model file differ by more than the criterion allows, other heads are tried; see
    `quantize.head.choice.choose_head`.

    Args:
        data: holds `<class>/` or `Original/<class>/` with images.
        out: the model file to write.
        options: what is asked for.
        criterion: what it must hold; None takes the default limits.
        overwrite: replace `out` if it exists. It stays as it is if the check fails.
        read_progress: called with (images read, images in all).
        embed_progress: called with (images embedded, images in all).
        tell: gets a line before long steps.

    Raises:
        AccuracyGateError: no head held every limit; nothing was written.
        DatasetError: the images cannot be used, or cannot be divided as asked.
        TrainingError: the weights are another network's, or no feature is left.
        QuantizationError: the backbone cannot be converted.
        OutputError: `out` exists already, lies among the images, or cannot be written.
    """
    clock = _Clock()
    require_writable(out)
    if not overwrite:
        require_absent(out, "Replace it with --overwrite, or choose another --out")
    image_set = read_image_set(data, SIDE, SIDE, progress=read_progress)
    if out.resolve().is_relative_to(image_set.folder.resolve()):
        raise OutputError(
            "The model lies outside the folder of the classes",
            got=out,
            next_step="Choose another --out",
        )
    split = divide_images(
        image_set, options.split, options.fold, options.test_fraction, options.seed
    )
    clock.lap("reading and dividing")
    backbone = frozen_backbone(options.weights, tell)
    clock.lap("quantizing the backbone")
    embeddings = embed_images(image_set, backbone, embed_progress)
    clock.lap("embedding")
    limits = quality_limits(image_set, split, options.seed)
    clock.lap("limits of quality")
    fitted = choose_head(
        image_set,
        split,
        backbone,
        embeddings,
        options.features,
        options.seed,
        criterion or Criterion(),
    )
    clock.lap("fitting and checking")
    require_passed(fitted.decision, None, accept_too_few=options.accept_too_few)
    _check_whole(fitted, image_set, embeddings)
    abstention = _abstention(fitted, image_set, split, embeddings, limits)
    card = _card(image_set, split, options, fitted)
    card["answer"] = abstention.card
    if (activation := find_activation(fitted.content)) is not None:
        card["activation"] = activation
    packed = pack_model(fitted.content, card, abstention.domain)
    model = write_model(out, packed)
    clock.lap("packing")
    metrics = card["metrics"]
    return HeadResult(
        model,
        fitted.decision,
        metrics["float"],
        metrics["int8"],
        int((fitted.head.weights != 0).any(axis=1).sum()),
        fitted.strength,
        clock.laps,
        embeddings.computed,
    )


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = now - self._last
        self._last = now


def _check_whole(fitted: FittedHead, image_set: ImageSet, embeddings: Embeddings) -> None:
    """Make sure that the whole model says of images what its head says of their embeddings."""
    places = np.unique(np.linspace(0, len(image_set) - 1, _WHOLE).astype(np.int64))
    whole = score(fitted.content, image_set.images[places])
    if not np.array_equal(whole, fitted.scores[places]):
        raise QuantizationError(
            "A model gives for an image what its head gives for the image's embedding",
            got=f"another result for {int((whole != fitted.scores[places]).any(axis=1).sum())} of "
            f"{len(places)} images",
            next_step="Remove the folder `features` from the cache, which another machine may "
            "have written, and give the same command again",
        )


def _abstention(
    fitted: FittedHead,
    image_set: ImageSet,
    split: Split,
    embeddings: Embeddings,
    limits: QualityLimits,
) -> Abstention:
    trained, held_out = (
        Embedded(embeddings.int8[places], image_set.targets[places])
        for places in (split.indices("train"), split.indices("validation"))
    )
    scores = fitted.scores[split.indices("validation")].astype(np.float64)
    return assemble_abstention(find_embedding(fitted.content), limits, trained, held_out, scores)


def _card(
    image_set: ImageSet, split: Split, options: HeadOptions, fitted: FittedHead
) -> dict[str, Any]:
    config = RunConfig(
        network=NAME,
        data=str(image_set.folder),
        data_digest=image_set.digest(),
        labels=list(image_set.labels),
        side=SIDE,
        seed=options.seed,
        test_fraction=round(len(split.indices("test")) / len(split.parts), 4),
        epochs=0,
        balance="none",
        augmentation=[],
        weights=options.weights.source,
        split_digest=split.digest(),
        blastscope=__version__,
        split=split.kind,
        fold=split.fold,
    )
    seen = int((fitted.head.weights != 0).any(axis=1).sum())
    return run_card(
        config,
        fitted.decision,
        quantization={
            "step": "linear head on a frozen backbone",
            "detail": f"{seen} of {len(fitted.head.weights)} features by analysis of variance, "
            f"logistic regression with C = {fitted.strength:g} ({fitted.accuracy:.2%} in folds of "
            f"the training part) on {fitted.fitted_to}; the backbone has {options.weights.source} "
            f"weights and was calibrated on {CALIBRATION_PER_CLASS} simulated fields of each class",
            "float_layers": [],
            "calibration_images": 4 * CALIBRATION_PER_CLASS,
            "calibration_sha256": None,
        },
        temperature=fitted.temperature,
        model_version=options.model_version,
        limitations=("The backbone is ImageNet's, and only its last layer was fitted to smears.",),
    )
