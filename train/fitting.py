"""Fitting a network to the training part."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edge.errors import TrainingError
from edge.preprocess import INPUT_MEAN, INPUT_STD
from train.augmentation.sequence import augmentation_layers
from train.balance.blends import Blends
from train.batches import Batches
from train.checkpoint import Checkpoint, Epoch, FitState
from train.distillation import Distillation, Teacher
from train.image_bank import ImageBank
from train.optimizers import build_optimizer
from train.recipes import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class FitData:
    """What a fitting sees.

    Attributes:
        images: the training part; RGB, uint8, shape (n, side, side, 3).
        targets: its classes; int64, shape (n,).
        validation_images: the validation part, likewise.
        validation_targets: its classes.
        blends: synthetic images that balance the training part; None for none.
        class_weights: of the loss; None for equal ones.
        teacher: a network to learn from besides the classes; None for none.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    validation_images: NDArray[np.uint8]
    validation_targets: NDArray[np.int64]
    blends: Blends | None = None
    class_weights: dict[int, float] | None = None
    teacher: Teacher | None = None


#: Called with (epoch, epochs, share of the epoch done, figures once the epoch has finished).
FitProgress = Callable[[int, int, float, Epoch | None], None]


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
    network: keras.Model, features: NDArray[np.float32], data: FitData, recipe: Recipe
) -> None:
    """Fit the head of a network to the features of its frozen backbone.

    Args:
        network: with layers `backbone` and `head`.
        features: of the training images without augmentation; float32, shape (n, 1280).
        data: the images' classes, and how they are balanced.
        recipe: says how many epochs.
    """
    head = network.get_layer("head")
    targets = data.targets
    if data.blends is not None:
        features = np.concatenate([features, data.blends.of_vectors(features)])
        targets = np.concatenate([targets, data.blends.targets])
    head.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    head.fit(
        features,
        targets,
        epochs=recipe.head_epochs,
        batch_size=64,
        class_weight=data.class_weights,
        verbose=0,
    )


def fit(
    network: keras.Model,
    data: FitData,
    recipe: Recipe,
    *,
    epochs: int,
    seed: int,
    checkpoint: Checkpoint,
    earlier: FitState | None = None,
    progress: FitProgress | None = None,
) -> FitState:
    """Fit a network, and leave it with the weights to keep.

    Those are the last epoch's, by which the learning rate has come down to nothing: the losses on a
    small validation part differ by chance more than the last epochs do. Where Ctrl-C ends the
    fitting early, and the rate is still high, they are those of the lowest validation loss.

    Args:
        network: as `train.networks` builds them; changed in place.
        data: the images; only the training part is balanced and augmented.
        recipe: the rates and sizes.
        epochs: passes over the training part, those before a resumption counted in.
        seed: of augmentation and order.
        checkpoint: where the state is kept after each epoch.
        earlier: what `checkpoint` holds, to go on from there; None starts anew.
        progress: called as the fitting goes on.

    Returns:
        The history and the epoch whose weights were kept.

    Raises:
        TrainingError: the loss is no number in the first epoch, or the kept state is damaged. In a
            later epoch `FitState.lost` says so, and the network has the best good weights.
        OutputError: the checkpoint cannot be written.
    """
    images, targets = data.images, data.targets
    if data.blends is not None:
        images = np.concatenate([images, data.blends.of_images(images)])
        targets = np.concatenate([targets, data.blends.targets])
    bank = ImageBank(np.concatenate([images, data.validation_images]))
    training_model = _training_model(bank, network, data.teacher, recipe, seed)
    state = FitState() if earlier is None else FitState([*earlier.history], earlier.kept_epoch)
    batches = Batches(targets, recipe.batch_size, seed, epoch=len(state.history))
    _compile(training_model, recipe, batches.steps * epochs)
    if state.history:
        checkpoint.restore_last(training_model, network)
    validation_positions = np.arange(len(images), len(bank), dtype=np.int32)
    keeper = _Keeper(state, checkpoint, network, epochs, batches.steps, progress)
    try:
        training_model.fit(
            batches,
            steps_per_epoch=batches.steps,
            shuffle=False,
            validation_data=(validation_positions, data.validation_targets),
            validation_batch_size=recipe.batch_size,
            initial_epoch=len(state.history),
            epochs=epochs,
            class_weight=data.class_weights,
            verbose=0,
            callbacks=[keeper],
        )
    except KeyboardInterrupt:
        state.interrupted = True
    if state.kept_epoch is not None:
        checkpoint.restore_best(network)
    state.lost = keeper.lost
    if keeper.lost and state.kept_epoch is None:
        raise TrainingError(
            "The training loss must stay a number",
            got=f"{keeper.lost} in epoch 1",
            next_step="Train again with another --seed, or check the images",
        )
    return state


def _training_model(
    bank: ImageBank, network: keras.Model, teacher: Teacher | None, recipe: Recipe, seed: int
) -> keras.Model:
    """Put the images, augmentation and normalization before the network, and its teacher beside."""
    inputs = keras.Input((), dtype="int32")
    x = bank(inputs)
    piece = recipe.piece if teacher is None else None
    for layer in augmentation_layers(recipe.augmentation, seed, piece):
        x = layer(x)
    x = layers.Rescaling(1 / INPUT_STD, offset=-INPUT_MEAN / INPUT_STD)(x)
    if teacher is None:
        if piece is not None:
            network = _for_any_side(network)
        return keras.Model(inputs, network(x))
    return keras.Model(inputs, Distillation(teacher.network)(x, network(x)))


def _for_any_side(network: keras.Model) -> keras.Model:
    """Return the same layers, weights shared, as a network for images of any height and width."""
    images = keras.Input((None, None, network.input_shape[3]))
    return keras.models.clone_model(
        network, input_tensors=images, clone_function=lambda layer: layer
    )


def _compile(training_model: keras.Model, recipe: Recipe, steps: int) -> None:
    training_model.compile(
        build_optimizer(recipe, steps), "sparse_categorical_crossentropy", metrics=["accuracy"]
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
        kept_epoch = self._state.kept_epoch
        is_lowest = row.validation_loss < self._best
        if is_lowest or kept_epoch is None or row.epoch == self._epochs:
            kept_epoch = row.epoch
        # The disk first: after an interruption the state in memory must not be ahead of it.
        reached = FitState([*self._state.history, row], kept_epoch)
        self._checkpoint.write(reached, self.model, self._network)
        self._state.history.append(row)
        self._state.kept_epoch = kept_epoch
        if is_lowest:
            self._best = row.validation_loss
        if self._progress is not None:
            self._progress(row.epoch, self._epochs, 1.0, row)
