"""The steps of recovery, in order, stopping at the first that passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
from numpy.typing import NDArray

from quantize.activations import ranges
from quantize.convert import calibrate, quantize_calibrated
from quantize.float_graph import FloatGraph
from quantize.recovery import float_fallback
from quantize.recovery.attempt import Attempt, Judge
from quantize.recovery.bias_correction import correct_biases
from quantize.recovery.calibration_choices import calibration_choices
from quantize.recovery.equalization import equalize
from quantize.recovery.fine_tuning import EPOCHS, fine_tune
from quantize.recovery.layer_errors import LayerError, rank_layers
from train.fitting import predict

PLAIN = "plain int8"
CALIBRATION = "calibration"
FLOAT_LAYERS = float_fallback.STEP
EQUALIZATION = "equalization and bias correction"
FINE_TUNING = "quantization-aware fine-tuning"

#: What comes after plain int8, in this order.
STEPS = (CALIBRATION, FLOAT_LAYERS, EQUALIZATION, FINE_TUNING)

#: Images that layer errors are measured on: each runs through every layer twice.
_RANKED_ON = 24

#: Called with a line for a person, and the attempt once it has been judged.
Tell = Callable[[str, Attempt | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationPool:
    """Images of the training part that are kept for calibration.

    Attributes:
        images: RGB, uint8, shape (n, side, side, 3).
        targets: their classes; int64, shape (n,).
        usual: which of them the usual calibration takes; int64.
        per_class: how many of each class those are at most.
        shares: of each class in the training part; float64, shape (classes,).
        training: all images of the training part, for fine-tuning; as `images`.
        seed: of random choices among them.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    usual: NDArray[np.int64]
    per_class: int
    shares: NDArray[np.float64]
    training: NDArray[np.uint8]
    seed: int


@dataclass(slots=True, eq=False)
class Recovery:
    """What was tried.

    Attributes:
        attempts: in order; the first is plain int8.
        ranking: the layers of plain int8 by their error, the worst first; empty if plain int8
            passed and nothing more was asked for.
    """

    attempts: list[Attempt] = field(default_factory=list)
    ranking: tuple[LayerError, ...] = ()

    @property
    def chosen(self) -> Attempt:
        """The attempt to go on with: of the passing ones the last, else the one that fails least.

        Float fallback gives layers back after it has passed, so that the last passing attempt is
        the one with the fewest.
        """
        passing = [one for one in self.attempts if one.held]
        if passing:
            first = passing[0]
            return [one for one in passing if one.step == first.step][-1]
        return max(self.attempts, key=lambda one: one.decision.unseen.agreement)


def recover(
    network: keras.Model,
    pool: CalibrationPool,
    judge: Judge,
    *,
    steps: Sequence[str] = STEPS,
    every_step: bool = False,
    tell: Tell = lambda line, attempt: None,
) -> Recovery:
    """Quantize a network, and if it does not pass, try one step after another.

    Args:
        network: as `train.networks` builds them.
        pool: images to calibrate on.
        judge: holds each attempt against the gate.
        steps: out of `STEPS`; they are taken in that order.
        every_step: go on after one has passed, to see what each would cost.
        tell: called before and after each attempt.

    Raises:
        QuantizationError: the network cannot be converted.
    """
    recovery = Recovery()
    tell("quantizing", None)
    calibrated = calibrate(network, pool.images[pool.usual])

    def take(attempts: Iterator[Attempt]) -> bool:
        """Keep attempts as they come; tell whether to stop."""
        passed = False
        for attempt in attempts:
            recovery.attempts.append(attempt)
            tell(f"{attempt.step}: {attempt.detail}", attempt)
            passed = passed or attempt.held
        return passed and not every_step

    def plain() -> Iterator[Attempt]:
        content = quantize_calibrated(calibrated)
        detail = f"{len(pool.usual)} images, up to {pool.per_class} of each class"
        yield Attempt(PLAIN, detail, content, (), pool.usual, judge.decide(content))

    if take(plain()) or not steps:
        return recovery
    tell("measuring each layer's error", None)
    recovery.ranking = rank_layers(calibrated, pool.images[pool.usual][:_RANKED_ON])
    float_scores = predict(network, pool.images)
    if CALIBRATION in steps and take(_calibrations(calibrated, pool, float_scores, judge)):
        return recovery
    if FLOAT_LAYERS in steps:
        usual = pool.usual
        fallback = float_fallback.fall_back(
            calibrated, recovery.ranking, pool.images, float_scores, usual, judge
        )
        if take(fallback):
            return recovery
    if EQUALIZATION in steps and take(_equalizations(calibrated, pool, judge)):
        return recovery
    if FINE_TUNING in steps:
        tell(f"fine-tuning on {len(pool.training)} images", None)
        take(_fine_tunings(network, pool, judge))
    return recovery


def _calibrations(
    calibrated: bytes, pool: CalibrationPool, float_scores: NDArray[np.float32], judge: Judge
) -> Iterator[Attempt]:
    for choice in calibration_choices(
        pool.targets, pool.shares, float_scores, pool.per_class, pool.seed
    ):
        graph = FloatGraph(calibrated)
        graph.set_ranges(ranges(calibrated, pool.images[choice.positions], choice.percentile))
        content = quantize_calibrated(graph.content())
        attempt = Attempt(
            CALIBRATION, choice.detail, content, (), choice.positions, judge.decide(content)
        )
        yield attempt
        if attempt.held:
            return


def _fine_tunings(network: keras.Model, pool: CalibrationPool, judge: Judge) -> Iterator[Attempt]:
    images = pool.images[pool.usual]
    tuned = fine_tune(network, images, pool.training, seed=pool.seed)
    content = quantize_calibrated(calibrate(tuned, images))
    detail = f"{EPOCHS} epochs on {len(pool.training)} images"
    yield Attempt(FINE_TUNING, detail, content, (), pool.usual, judge.decide(content))


def _equalizations(calibrated: bytes, pool: CalibrationPool, judge: Judge) -> Iterator[Attempt]:
    images = pool.images[pool.usual]
    evened, pairs = equalize(calibrated, images)
    if pairs:
        graph = FloatGraph(evened)
        graph.set_ranges(ranges(evened, images))
        evened = graph.content()
        content = quantize_calibrated(evened)
        detail = f"{pairs} pairs of layers evened out"
        attempt = Attempt(EQUALIZATION, detail, content, (), pool.usual, judge.decide(content))
        yield attempt
        if attempt.held:
            return
    corrected, layers = correct_biases(evened, images[:_RANKED_ON])
    content = quantize_calibrated(corrected)
    detail = f"{pairs} pairs evened out, biases of {layers} layers corrected"
    yield Attempt(EQUALIZATION, detail, content, (), pool.usual, judge.decide(content))
