"""Fitting a network to the training part."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edge.errors import TrainingError
from edge.output import make_folder, whole_file, write_json
from edge.preprocess import INPUT_MEAN, INPUT_STD
from train.augmentation import RandomStain, RandomTurn
from train.balance import smote_images, smote_vectors
from train.recipes import Balance, Recipe


@dataclass(frozen=True, slots=True)
class Epoch:
    """Figures after one pass over the training part; losses are mean cross-entropies in nats."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


@dataclass(slots=True)
class FitState:
    """How far a fitting has come.

    Attributes:
        history: the figures after each finished epoch.
        best_epoch: the epoch with the lowest validation loss; None before the first has finished.
        interrupted: it was stopped by Ctrl-C.
    """

    history: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FitData:
    """The images that a fitting sees: RGB uint8 (n, side, side, 3), and their classes (int64)."""

    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    validation_images: NDArray[np.uint8]
    validation_targets: NDArray[np.int64]


#: Called with (epoch, epochs, share of the epoch done, figures once the epoch has finished).
FitProgress = Callable[[int, int, float, Epoch | None], None]


class Checkpoint:
    """Where a fitting keeps its state, so that it can go on after any stop.

    Args:
        folder: holds `state.json`, `last.npz` (weights and optimizer) and `best.npz` (weights).
            They are plain numpy archives: HDF5 prints tracebacks of its own on a full disk.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last = folder / "last.npz"
        self.best = folder / "best.npz"
        self._state = folder / "state.json"

    def read(self) -> FitState:
        """Return the state after the last finished epoch; an empty one before the first.

        Raises:
            TrainingError: the state is damaged.
        """
        if not self._state.exists():
            return FitState()
        try:
            stored = json.loads(self._state.read_text(encoding="utf-8"))
            history = [Epoch(**row) for row in stored["history"]]
            return FitState(history, stored["best_epoch"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"The training state {self._state} must be readable to resume",
                got=f"{type(error).__name__}: {error}",
                next_step="Start again with a new --out folder",
            ) from error

    def write(self, state: FitState, training_model: keras.Model, network: keras.Model) -> None:
        """Keep the weights, then the state that refers to them.

        Raises:
            OutputError: the disk is full or cannot be written; the earlier files stay.
        """
        make_folder(self.folder)
        if state.best_epoch == state.history[-1].epoch:
            _write_arrays(self.best, network.get_weights())
        _write_arrays(
            self.last, [*training_model.get_weights(), *_optimizer_arrays(training_model)]
        )
        write_json(
            self._state,
            {"history": [asdict(row) for row in state.history], "best_epoch": state.best_epoch},
        )

    def restore_last(self, training_model: keras.Model) -> None:
        """Give a freshly compiled training model its last weights and optimizer state.

        Raises:
            TrainingError: the file is damaged, or of another network.
        """
        optimizer = training_model.optimizer
        optimizer.build(training_model.trainable_variables)
        arrays = _read_arrays(self.last)
        count = len(training_model.get_weights())
        if len(arrays) != count + len(optimizer.variables):
            raise TrainingError(
                f"The training state {self.last} must be of this network",
                got=f"{len(arrays)} arrays in place of {count + len(optimizer.variables)}",
                next_step="Start again with a new --out folder",
            )
        self._assign(training_model, arrays[:count], self.last)
        for variable, array in zip(optimizer.variables, arrays[count:], strict=True):
            variable.assign(array)

    def restore_best(self, network: keras.Model) -> None:
        """Give a network the best weights so far.

        Raises:
            TrainingError: the file is damaged.
        """
        self._assign(network, _read_arrays(self.best), self.best)

    def _assign(self, model: keras.Model, arrays: list[NDArray[Any]], path: Path) -> None:
        try:
            model.set_weights(arrays)
        except ValueError as error:
            raise TrainingError(
                f"The training state {path} must be of this network",
                got=" ".join(str(error).split())[:200],
                next_step="Start again with a new --out folder",
            ) from error


def _write_arrays(path: Path, arrays: Sequence[NDArray[Any]]) -> None:
    with whole_file(path) as temporary:
        np.savez(temporary, *arrays)


def _read_arrays(path: Path) -> list[NDArray[Any]]:
    try:
        with np.load(path) as archive:
            return [archive[f"arr_{index}"] for index in range(len(archive.files))]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise TrainingError(
            f"The training state {path} must be readable",
            got=f"{type(error).__name__}: {error}",
            next_step="Start again with a new --out folder",
        ) from error


def _optimizer_arrays(training_model: keras.Model) -> list[NDArray[Any]]:
    variables = training_model.optimizer.variables
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def normalize(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the networks take for bytes: float32 in [-1, 1), the same shape."""
    return (images.astype(np.float32) - np.float32(INPUT_MEAN)) / np.float32(INPUT_STD)


def predict(
    network: keras.Model, images: NDArray[np.uint8], batch_size: int = 64
) -> NDArray[np.float32]:
    """Return a network's scores for images.

    Args:
        network: as `train.networks` builds them.
        images: RGB, uint8, shape (n, side, side, 3).
        batch_size: images per step.

    Returns:
        float32, shape (n, classes).
    """
    batches = [
        keras.ops.convert_to_numpy(
            network.predict_on_batch(normalize(images[start : start + batch_size]))
        )
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(batches).astype(np.float32)


def fit_head(
    network: keras.Model, data: FitData, recipe: Recipe, balance: Balance, seed: int
) -> None:
    """Fit the head of a network to the features of its frozen backbone.

    The features are computed once, without augmentation, so that this takes little longer than
    one pass over the images; SMOTE balances the features (float32, shape (n, 1280)).

    Args:
        network: with layers `backbone` and `head`.
        data: the images.
        recipe: says how many epochs.
        balance: "smote" or "none".
        seed: of SMOTE.
    """
    backbone, head = network.get_layer("backbone"), network.get_layer("head")
    features, targets = predict(backbone, data.images), data.targets
    if balance == "smote":
        features, targets = smote_vectors(features, targets, seed)
    head.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    head.fit(features, targets, epochs=recipe.head_epochs, batch_size=64, verbose=0)


def fit(
    network: keras.Model,
    data: FitData,
    recipe: Recipe,
    *,
    epochs: int,
    balance: Balance,
    seed: int,
    checkpoint: Checkpoint,
    earlier: FitState | None = None,
    progress: FitProgress | None = None,
) -> FitState:
    """Fit a network, keep its best weights, and leave it with them.

    Best is the lowest validation loss. Ctrl-C ends the fitting early with the best so far.

    Args:
        network: as `train.networks` builds them; changed in place.
        data: the images; only the training part is balanced and augmented.
        recipe: the rates and sizes.
        epochs: passes over the training part, those before a resumption counted in.
        balance: "smote" or "none".
        seed: of balancing, augmentation and order.
        checkpoint: where the state is kept after each epoch.
        earlier: what `checkpoint` holds, to go on from there; None starts anew.
        progress: called as the fitting goes on.

    Returns:
        The history and the best epoch.

    Raises:
        TrainingError: the loss is no longer a number, or the kept state is damaged.
        OutputError: the checkpoint cannot be written.
    """
    images, targets = data.images, data.targets
    if balance == "smote":
        images, targets = smote_images(images, targets, seed)
    training_model = _training_model(network, recipe, seed)
    steps = math.ceil(len(images) / recipe.batch_size)
    _compile(training_model, recipe, steps * epochs)
    state = FitState() if earlier is None else FitState([*earlier.history], earlier.best_epoch)
    if state.history:
        checkpoint.restore_last(training_model)
    keeper = _Keeper(state, checkpoint, network, epochs, steps, progress)
    try:
        training_model.fit(
            images,
            targets,
            validation_data=(data.validation_images, data.validation_targets),
            initial_epoch=len(state.history),
            epochs=epochs,
            batch_size=recipe.batch_size,
            verbose=0,
            callbacks=[keeper],
        )
    except KeyboardInterrupt:
        state.interrupted = True
    if state.best_epoch is not None:
        checkpoint.restore_best(network)
    if keeper.lost:
        advice = "Train again with another --seed, or check the images"
        if state.best_epoch is not None:
            advice += f"; the best weights so far are in {checkpoint.best}"
        raise TrainingError(
            "The training loss must stay a number",
            got=f"{keeper.lost} in epoch {len(state.history) + 1}",
            next_step=advice,
        )
    return state


def _training_model(network: keras.Model, recipe: Recipe, seed: int) -> keras.Model:
    """Put augmentation and normalization before the network; the input is bytes."""
    inputs = keras.Input((recipe.side, recipe.side, 3), dtype="uint8")
    x = RandomTurn(seed=seed)(inputs)
    x = RandomStain(strength=recipe.stain_strength, seed=seed + 1)(x)
    x = layers.Rescaling(1 / INPUT_STD, offset=-INPUT_MEAN / INPUT_STD)(x)
    return keras.Model(inputs, network(x))


def _compile(training_model: keras.Model, recipe: Recipe, steps: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 20,
        decay_steps=max(1, steps - steps // 20),
        alpha=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=steps // 20,
    )
    training_model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


class _Keeper(keras.callbacks.Callback):
    """Keeps the state after each epoch, and stops when the loss is lost."""

    def __init__(
        self,
        state: FitState,
        checkpoint: Checkpoint,
        network: keras.Model,
        epochs: int,
        steps: int,
        progress: FitProgress | None,
    ) -> None:
        super().__init__()
        self.lost = ""
        self._state = state
        self._checkpoint = checkpoint
        self._network = network
        self._epochs = epochs
        self._steps = steps
        self._progress = progress
        self._best = min((row.validation_loss for row in state.history), default=math.inf)
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self._progress is not None:
            number = len(self._state.history) + 1
            self._progress(number, self._epochs, (batch + 1) / self._steps, None)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs["val_loss"])):
            self.lost = f"loss {logs['loss']}, validation loss {logs['val_loss']}"
            self.model.stop_training = True
            return
        row = Epoch(
            epoch=epoch + 1,
            loss=logs["loss"],
            accuracy=logs["accuracy"],
            validation_loss=logs["val_loss"],
            validation_accuracy=logs["val_accuracy"],
            seconds=time.monotonic() - self._started,
        )
        best_epoch = self._state.best_epoch
        if row.validation_loss < self._best or best_epoch is None:
            best_epoch = row.epoch
        # The disk first: after an interruption the state in memory must not be ahead of it.
        reached = FitState([*self._state.history, row], best_epoch)
        self._checkpoint.write(reached, self.model, self._network)
        self._state.history.append(row)
        self._state.best_epoch = best_epoch
        if best_epoch == row.epoch:
            self._best = row.validation_loss
        if self._progress is not None:
            self._progress(row.epoch, self._epochs, 1.0, row)
