"""How far a fitting has come, kept on disk so that it can go on after any stop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from edge.errors import TrainingError
from edge.output import make_folder, whole_file, write_json


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
        kept_epoch: the epoch whose weights are kept: the last of all that were asked for, and
            before it the one with the lowest validation loss; None before the first has finished.
        interrupted: it was stopped by Ctrl-C.
        lost: what the losses were when one was no number, which ended the fitting; else empty.
    """

    history: list[Epoch] = field(default_factory=list)
    kept_epoch: int | None = None
    interrupted: bool = False
    lost: str = ""


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
            return FitState(history, stored["kept_epoch"])
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
        if state.kept_epoch == state.history[-1].epoch:
            _write_arrays(self.best, network.get_weights())
        _write_arrays(self.last, [*network.get_weights(), *_optimizer_arrays(training_model)])
        write_json(
            self._state,
            {"history": [asdict(row) for row in state.history], "kept_epoch": state.kept_epoch},
        )

    def restore_last(self, training_model: keras.Model, network: keras.Model) -> None:
        """Give a freshly compiled training model's optimizer and network their last state.

        Raises:
            TrainingError: the file is damaged, or of another network.
        """
        optimizer = training_model.optimizer
        optimizer.build(training_model.trainable_variables)
        arrays = _read_arrays(self.last)
        count = len(network.get_weights())
        if len(arrays) != count + len(optimizer.variables):
            raise TrainingError(
                f"The training state {self.last} must be of this network",
                got=f"{len(arrays)} arrays in place of {count + len(optimizer.variables)}",
                next_step="Start again with a new --out folder",
            )
        self._assign(network, arrays[:count], self.last)
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
