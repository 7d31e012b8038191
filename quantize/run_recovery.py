"""A run's network quantized in the ways that there are, and each held against the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.accuracy_gate.criterion import Criterion
from quantize.calibration import IMAGES_PER_CLASS, choose_calibration_images
from quantize.recovery.attempt import Judge
from quantize.recovery.ladder import STEPS, CalibrationPool, Recovery, Tell, recover
from quantize.run_images import read_run_images
from train.fitting import predict
from train.image_set import Progress
from train.networks.loading import load_network
from train.run_folder import RunConfig, RunFolder
from train.splits.split import Split

#: Images of each class that are kept for calibration: the usual ones and as many for recovery.
_KEPT_PER_CLASS = 2 * IMAGES_PER_CLASS


@dataclass(frozen=True, slots=True, eq=False)
class RunRecovery:
    """A run, its images, and what came of quantizing it.

    Attributes:
        run: its folder.
        config: of the run.
        split: of the run.
        images: in the order of the split; RGB, uint8, shape (n, side, side, 3).
        targets: their classes; int64, shape (n,).
        kept: positions of the images that are kept for calibration; int64.
        unseen: positions of all others, which the gate looks at; int64.
        recovery: what was tried, and what is to be taken.
    """

    run: RunFolder
    config: RunConfig
    split: Split
    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    kept: NDArray[np.int64]
    unseen: NDArray[np.int64]
    recovery: Recovery


def recover_run(
    run_path: Path,
    *,
    criterion: Criterion,
    must_show: bool = False,
    steps: Sequence[str] = STEPS,
    every_step: bool = False,
    data: Path | None = None,
    progress: Progress | None = None,
    tell: Tell = lambda line, attempt: None,
) -> RunRecovery:
    """Quantize a run's network, and if it misses a limit, try one step after another.

    Args:
        run_path: a finished run folder.
        criterion: what the int8 network must hold.
        must_show: limits must be shown to be held, and not only be held on the images at hand.
        steps: what is tried if plain int8 misses a limit; out of `quantize.recovery.ladder.STEPS`.
        every_step: try them all, to see what each costs.
        data: the images, where they have moved since training; None takes the run's folder.
        progress: called with (images read, images in all).
        tell: see `quantize.recovery.ladder.recover`.

    Raises:
        QuantizationError: the network cannot be converted.
        TrainingError, ModelFileError, DatasetError: the run or its images cannot be read.
    """
    run = RunFolder(run_path)
    config = run.read_config()
    network = load_network(run.require_model())
    split = run.read_split()
    images, targets = read_run_images(config, split, data, progress)
    train_part = split.indices("train")
    kept = choose_calibration_images(targets, train_part, config.seed, _KEPT_PER_CLASS)
    usual = choose_calibration_images(targets, kept, config.seed)
    unseen = np.setdiff1d(np.arange(len(targets)), kept)
    judge = Judge(
        labels=tuple(config.labels),
        images=images[unseen],
        targets=targets[unseen],
        float_scores=predict(network, images[unseen]),
        is_held_out=np.isin(unseen, split.indices(split.judging)),
        criterion=criterion,
        must_show=must_show,
        part=split.judging,
    )
    pool = CalibrationPool(
        images=images[kept],
        targets=targets[kept],
        usual=np.searchsorted(kept, usual),
        per_class=IMAGES_PER_CLASS,
        shares=np.bincount(targets[train_part], minlength=len(config.labels)) / len(train_part),
        training=images[train_part],
        seed=config.seed,
    )
    recovery = recover(network, pool, judge, steps=steps, every_step=every_step, tell=tell)
    return RunRecovery(run, config, split, images, targets, kept, unseen, recovery)
