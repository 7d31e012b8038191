"""One training run, from a folder of images to a run folder."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge import __version__
from edge.errors import DatasetError, InterruptedTrainingError, OutputError, TrainingError
from edge.labels import TASKS
from edge.output import (
    make_folder,
    require_absent,
    require_space,
    require_writable,
    whole_file,
    write_json,
)
from train.balance.balancing import balance_part
from train.balance.methods import SYNTHETIC, Balance, check_classes
from train.checkpoint import Checkpoint, FitState
from train.distillation import digest_teacher, load_teacher
from train.environment import describe_environment
from train.evaluation.calibration import expected_calibration_error
from train.evaluation.folding import fold_temperature
from train.evaluation.metrics import classification_report
from train.evaluation.temperature import fit_temperature
from train.fitting import FitData, FitProgress, fit, fit_head, predict
from train.image_set import ImageSet, Progress, read_image_set
from train.networks.building import build_network
from train.options import TrainingOptions, settle_options
from train.plots import plot_confusion, plot_curves
from train.precision import best_precision, compute_with
from train.recipes import Recipe, find_recipe
from train.run_folder import RunConfig, RunFolder
from train.splits.checked import make_split, take_split
from train.splits.kinds import SPLIT_KINDS, parse_fold
from train.splits.leakage import check_children
from train.splits.split import PARTS, Split, read_split, write_split


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        run: its folder.
        metrics: what `metrics.json` holds.
        interrupted: Ctrl-C ended it before its last epoch.
    """

    run: RunFolder
    metrics: dict[str, Any]
    interrupted: bool


def train(
    network: str,
    data: Path,
    out: Path,
    *,
    weights: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    test_fraction: float | None = None,
    balance: Balance | None = None,
    augmentation: Sequence[str] | None = None,
    split: str | None = None,
    fold: str | None = None,
    teacher: Path | None = None,
    resume: bool = False,
    read_progress: Progress | None = None,
    fit_progress: FitProgress | None = None,
) -> TrainingResult:
    """Train a network on a folder of images and keep everything in a run folder.

    Args:
        network: a name out of `train.recipes.RECIPES`.
        data: holds `<class>/` or `Original/<class>/` with images.
        out: the run folder; it must not exist, unless `resume` is given.
        weights: of a backbone: "imagenet", "none" or a path; None takes the recipe's.
        epochs: passes over the training part; None takes the recipe's.
        seed: of everything random; None takes 0.
        test_fraction: share of the images kept for the test part; None takes 0.2. With 0 there is
            none, and figures are of the validation part.
        balance: a name out of `train.balance.methods.BALANCES`; None takes "none".
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`; none at all in an
            empty one; None takes the recipe's.
        split: what stays on one side: "random" (near-identical images), "grouped"
            (pseudo-groups) or "subject"; or the path of a file that tells each image's part. None
            takes "random".
        fold: "1/5" makes the first of five folds the test part; None makes a single division.
        teacher: a finished run whose network to learn from besides the classes (distillation);
            None for none.
        resume: go on with the run in `out`. None then takes what the run began with; another
            number of epochs may be given, and all else must be as before.
        read_progress: called with (images read, images in all).
        fit_progress: see `train.fitting.FitProgress`.

    Returns:
        The run folder and its metrics.

    Raises:
        DatasetError: the images cannot be used, or cannot be divided as asked.
        LeakageError: the division leaks, or the teacher knows images that it keeps apart.
        TrainingError: an option does not fit, or the loss is no longer a number.
        InterruptedTrainingError: Ctrl-C came before the first epoch had finished.
        OutputError: `out` exists already, or cannot be written.
    """
    started = time.monotonic()
    recipe = find_recipe(network)
    run = RunFolder(out)
    before = run.read_config() if resume else None
    if before is None:
        require_absent(out, "Go on with it by --resume, choose another --out, or remove it")
        require_writable(out)
    options = settle_options(
        recipe,
        before,
        weights=weights,
        epochs=epochs,
        seed=seed,
        test_fraction=test_fraction,
        balance=balance,
        augmentation=augmentation,
        split=split,
        fold=fold,
        teacher=teacher,
    )
    piece = recipe.piece if options.teacher is None else None
    recipe = replace(recipe, augmentation=options.augmentation, piece=piece)
    image_set = read_image_set(
        data, recipe.side, recipe.side, progress=read_progress, cell=recipe.cell
    )
    _require_outside(out, image_set)
    _require_task(recipe, image_set)
    division = _divide(image_set, options, run if resume else None)
    config = RunConfig(
        network=network,
        data=str(data.resolve()),
        data_digest=image_set.digest(),
        labels=list(image_set.labels),
        side=recipe.side,
        seed=options.seed,
        test_fraction=_test_share(division, options),
        epochs=options.epochs,
        balance=options.balance,
        augmentation=list(options.augmentation),
        weights=options.weights,
        split_digest=division.digest(),
        blastscope=__version__,
        split=division.kind,
        split_file=None if options.split in SPLIT_KINDS else options.split,
        fold=division.fold,
        teacher=None if options.teacher is None else str(options.teacher),
        teacher_sha256=None if options.teacher is None else digest_teacher(options.teacher),
        cell=None if recipe.cell is None else recipe.cell.as_json(),
        rates=recipe.rates(),
    )
    checkpoint = Checkpoint(run.checkpoint)
    earlier = checkpoint.read() if resume else FitState()
    if before is not None:
        _require_same(before, config, earlier)
    keras.utils.set_random_seed(options.seed)
    # A resumed network gets its weights from the checkpoint; "smote-features" must find the same
    # neighbours as before, by the features of the weights that the run began with.
    is_restored = bool(earlier.history) and options.balance != "smote-features"
    first_weights = "none" if is_restored else options.weights
    precision = best_precision()
    with compute_with(precision):
        model = build_network(recipe, len(image_set.labels), first_weights)
    _prepare_folder(run, config, division, model, is_new=not resume)
    try:
        state = _fit(model, recipe, image_set, division, config, checkpoint, earlier, fit_progress)
    except KeyboardInterrupt as interruption:
        raise _no_model_yet(run) from interruption
    except Exception:
        if not resume and not run.checkpoint.exists():
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    if state.kept_epoch is None:
        raise _no_model_yet(run)
    if precision == "mixed":
        # What is kept computes in float32, wherever it goes.
        weights_in_float32 = model.get_weights()
        model = build_network(recipe, len(image_set.labels), "none")
        model.set_weights(weights_in_float32)
    try:
        calibration = _calibrate(model, image_set, division)
        metrics = {**_report(model, image_set, division, config, state), "calibration": calibration}
        spent = time.monotonic() - started + sum(row.seconds for row in earlier.history)
        metrics["training_seconds"] = spent
        metrics["images_per_second"] = _images_per_second(division, state)
        _write_results(run, model, state, metrics)
    except KeyboardInterrupt as interruption:
        raise InterruptedTrainingError(
            "A finished run holds its model and figures",
            got="an interruption while they were being written",
            next_step=f"Give the same command with --resume: the weights are in {run.checkpoint}",
        ) from interruption
    if state.lost:
        raise TrainingError(
            "The training loss must stay a number",
            got=f"{state.lost} in epoch {len(state.history) + 1}",
            next_step=f"{run.path} holds the model as it was after epoch {state.kept_epoch}, of "
            "the good ones that whose validation loss was lowest; use that, or train again with "
            "another --seed",
        )
    return TrainingResult(run, metrics, state.interrupted)


def _prepare_folder(
    run: RunFolder, config: RunConfig, split: Split, model: keras.Model, *, is_new: bool
) -> None:
    """Write what is known before training, once it is sure that the rest has room."""
    # The model once, its best weights once, and its last weights with the optimizer's two moments.
    require_space(run.path, 5 * 4 * model.count_params() + 2_000_000)
    make_folder(run.path, exist_ok=not is_new)
    run.write_config(config)
    write_json(run.environment, {**describe_environment(), "precision": best_precision()})
    with whole_file(run.split) as temporary:
        write_split(temporary, split)


def _require_outside(out: Path, image_set: ImageSet) -> None:
    """Refuse a run folder that the next reading of the images would take for a class."""
    if out.resolve().is_relative_to(image_set.folder.resolve()):
        raise OutputError(
            "The run folder lies outside the folder of the classes, lest it be taken for one",
            got=out,
            next_step="Choose another --out",
        )


def _require_task(recipe: Recipe, image_set: ImageSet) -> None:
    """Refuse images of other classes than those of the network's task."""
    if recipe.task is not None and image_set.labels != TASKS[recipe.task]:
        raise DatasetError(
            f"{recipe.network} is for the {recipe.task} task: the classes "
            f"{' and '.join(TASKS[recipe.task])}, single cells on black",
            got=f"{', '.join(image_set.labels)} in {image_set.folder}",
            next_step="Pass the folder of C-NMC 2019, or train another network",
        )


def _divide(image_set: ImageSet, options: TrainingOptions, resumed: RunFolder | None) -> Split:
    """Divide the images, and make sure that the training part can be balanced."""
    if options.split in SPLIT_KINDS:
        fold = None if options.fold is None else parse_fold(options.fold)
        split = make_split(image_set, options.split, options.test_fraction, options.seed, fold)
    elif resumed is not None:
        split = take_split(image_set, resumed.read_split())
    else:
        split = take_split(image_set, read_split(Path(options.split)))
    if options.balance in SYNTHETIC:
        check_classes(image_set.targets[split.indices("train")], image_set.labels)
    return split


def _test_share(split: Split, options: TrainingOptions) -> float:
    """Return the test fraction that was asked for, or what a file or fold came to."""
    if options.split in SPLIT_KINDS and options.fold is None:
        return options.test_fraction
    return round(len(split.indices("test")) / len(split.parts), 4)


def _require_same(before: RunConfig, now: RunConfig, earlier: FitState) -> None:
    """Refuse to resume a run with other data or options, or with fewer epochs than it has had."""
    changed = [
        f"{name} {old!r} -> {new!r}"
        for (name, old), new in zip(asdict(before).items(), asdict(now).values(), strict=True)
        if old != new and name not in ("data", "epochs", "blastscope", "teacher")
    ]
    if changed:
        raise TrainingError(
            "A resumed run has the same data and options as before",
            got="; ".join(changed),
            next_step="Give the same options, or start a new run with another --out",
        )
    if now.epochs < len(earlier.history):
        raise TrainingError(
            "A resumed run has as many epochs as it has finished, or more",
            got=f"--epochs {now.epochs} after {len(earlier.history)}",
            next_step="Give more, or leave --epochs out",
        )


def _fit(
    model: keras.Model,
    recipe: Recipe,
    image_set: ImageSet,
    split: Split,
    config: RunConfig,
    checkpoint: Checkpoint,
    earlier: FitState,
    progress: FitProgress | None,
) -> FitState:
    train_part, validation_part = split.indices("train"), split.indices("validation")
    images, targets = image_set.images[train_part], image_set.targets[train_part]
    teacher = None
    if config.teacher is not None:
        teacher = load_teacher(Path(config.teacher), recipe, image_set.labels, split)
    features = None
    if recipe.head_epochs and (not earlier.history or config.balance == "smote-features"):
        features = predict(model.get_layer("backbone"), images)
    balancing = balance_part(config.balance, images, targets, features, config.seed)
    if balancing.blends is not None:
        check_children(train_part[balancing.blends.parents], split.parts)
    fit_data = FitData(
        images,
        targets,
        image_set.images[validation_part],
        image_set.targets[validation_part],
        balancing.blends,
        balancing.class_weights,
        teacher,
    )
    if features is not None and not earlier.history:
        fit_head(model, features, fit_data, recipe)
    if recipe.head_epochs:
        for layer in model.get_layer("backbone").layers[: recipe.frozen_layers]:
            layer.trainable = False
    return fit(
        model,
        fit_data,
        recipe,
        epochs=config.epochs,
        seed=config.seed,
        checkpoint=checkpoint,
        earlier=earlier,
        progress=progress,
    )


def _no_model_yet(run: RunFolder) -> InterruptedTrainingError:
    return InterruptedTrainingError(
        "A run has a model once its first epoch has finished",
        got="an interruption before that",
        next_step=f"Go on by giving the same command with --resume; {run.path} is kept",
    )


def _images_per_second(split: Split, state: FitState) -> float:
    """Return how many training images a second the median epoch took in, validation included."""
    seconds = statistics.median(row.seconds for row in state.history)
    return len(split.indices("train")) / seconds


def _calibrate(model: keras.Model, image_set: ImageSet, split: Split) -> dict[str, Any]:
    """Fold the temperature that suits the validation part into the model's last layer.

    Every runtime, float or int8, then gives calibrated probabilities; no prediction changes.
    """
    indices = split.indices("validation")
    targets = image_set.targets[indices]
    scores = predict(model, image_set.images[indices])
    temperature = fit_temperature(scores, targets)
    fold_temperature(model, temperature)
    calibrated = predict(model, image_set.images[indices])
    return {
        "part": "validation",
        "n": len(indices),
        "temperature": temperature,
        "ece_before": expected_calibration_error(scores, targets),
        "ece_after": expected_calibration_error(calibrated, targets),
    }


def _report(
    model: keras.Model, image_set: ImageSet, split: Split, config: RunConfig, state: FitState
) -> dict[str, Any]:
    """Return what `metrics.json` holds."""
    reports = {}
    for part in (part for part in PARTS[1:] if part in split.parts):
        indices = split.indices(part)
        scores = predict(model, image_set.images[indices])
        reports[part] = classification_report(
            image_set.targets[indices], scores, image_set.labels, np.array(split.groups)[indices]
        )
    return {
        "network": config.network,
        "split": split.caveat,
        "split_kind": split.kind,
        "seed": config.seed,
        "judging_part": split.judging,
        "images": {part: len(split.indices(part)) for part in PARTS},
        "epochs_finished": len(state.history),
        "kept_epoch": state.kept_epoch,
        "interrupted": state.interrupted,
        **reports,
    }


def _write_results(
    run: RunFolder, model: keras.Model, state: FitState, metrics: dict[str, Any]
) -> None:
    try:
        write_json(run.history, [asdict(row) for row in state.history])
        write_json(run.metrics, metrics)
        plot_curves(run.curves, state.history, state.kept_epoch)
        part = metrics["judging_part"]
        plot_confusion(run.confusion_matrix, {f"float, {part} part": metrics[part]})
        # Last, since it is what tells a finished run.
        with whole_file(run.model) as temporary:
            model.save(temporary)
    except OutputError as error:
        raise OutputError(
            error.rule,
            got=error.got,
            next_step="Free some space and give the same command with --resume: "
            f"the trained weights are in {run.checkpoint}",
        ) from error
