"""A training run on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.errors import TrainingError
from edge.output import write_json
from train.balance.methods import Balance
from train.splits.kinds import SplitKind
from train.splits.split import Split, read_split


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All that decides a run's outcome.

    Attributes:
        network: a name out of `train.recipes.RECIPES`.
        data: the folder that holds the class folders.
        data_digest: version of the data, from `ImageSet.digest`.
        labels: the classes, in the order of the network's outputs.
        side: height and width of the network's input in pixels.
        seed: of the split, balancing, initial weights, augmentation and order.
        test_fraction: share of the images in the test part.
        epochs: passes over the training part.
        balance: a name out of `train.balance.methods.BALANCES`.
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`.
        weights: where a backbone's weights came from; None where there is no backbone.
        split_digest: from `Split.digest`.
        blastscope: version of this package.
        split: what the division keeps together.
        split_file: the file that the division was read from; None where it was made.
        fold: such as "1/5"; None for a single division.
        teacher: the run folder of the network that was learnt from; None for none.
        teacher_sha256: of that network's file.
        cell: the square that the network sees around a cell, as `edge.cell_crop.CellCrop` has it;
            None for one that looks at fields.
        rates: as `train.recipes.Recipe.rates` has them.
    """

    network: str
    data: str
    data_digest: str
    labels: list[str]
    side: int
    seed: int
    test_fraction: float
    epochs: int
    balance: Balance
    augmentation: list[str]
    weights: str | None
    split_digest: str
    blastscope: str
    split: SplitKind = "random"
    split_file: str | None = None
    fold: str | None = None
    teacher: str | None = None
    teacher_sha256: str | None = None
    cell: dict[str, int] | None = None
    rates: dict[str, str | float | None] | None = None


class RunFolder:
    """The files of one run, by name.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.environment = path / "environment.json"
        self.split = path / "split.csv"
        self.history = path / "history.json"
        self.metrics = path / "metrics.json"
        self.model = path / "model.keras"
        self.curves = path / "curves.png"
        self.confusion_matrix = path / "confusion_matrix.png"
        self.checkpoint = path / "checkpoint"

    def write_config(self, config: RunConfig) -> None:
        """Write `config.json`.

        Raises:
            OutputError: it cannot be written.
        """
        write_json(self.config, asdict(config))

    def read_config(self) -> RunConfig:
        """Read `config.json`.

        Raises:
            TrainingError: the folder is no run folder.
        """
        try:
            return RunConfig(**json.loads(self.config.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise TrainingError(
                f"A run folder holds config.json, as `blastscope train` writes it: {self.path}",
                got=f"{type(error).__name__}: {error}",
                next_step="Pass the folder that was given to `blastscope train ... --out`",
            ) from error

    def read_metrics(self) -> dict[str, Any]:
        """Return what `metrics.json` holds; nothing where it is absent or damaged."""
        try:
            metrics = json.loads(self.metrics.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return metrics if isinstance(metrics, dict) else {}

    def read_split(self) -> Split:
        """Read `split.csv`.

        Raises:
            SplitError: it is absent or damaged.
        """
        return read_split(self.split)

    def require_model(self) -> Path:
        """Return the path of the trained model.

        Raises:
            TrainingError: training has not come so far.
        """
        if not self.model.is_file():
            raise TrainingError(
                f"A finished run holds {self.model.name}",
                got=f"none in {self.path}",
                next_step="Finish the training with `blastscope train ... --resume`",
            )
        return self.model
