"""What a study trains, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from train.balance.methods import Balance
from train.options import TrainingOptions, settle_options
from train.recipes import find_recipe
from train.splits.kinds import USUAL_FOLDS, SplitKind, fold_of_seed


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a study's table: a way to train.

    Attributes:
        name: what the table and the run folders call it.
        network: a name out of `train.recipes.RECIPES`.
        weights: of a backbone: "imagenet", "none" or a path; None takes the recipe's.
        balance: a name out of `train.balance.methods.BALANCES`; None takes the default.
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`; None takes the
            recipe's.
        epochs: passes over the training part; None takes the recipe's.
    """

    name: str
    network: str
    weights: str | None = None
    balance: Balance | None = None
    augmentation: tuple[str, ...] | None = None
    epochs: int | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run: a row under one split with one seed.

    Attributes:
        row: how it is trained.
        split: one of `train.splits.kinds.SPLIT_KINDS`.
        seed: of a random split and of all else that is random; under other splits it chooses the
            fold, as `train.splits.kinds.fold_of_seed` says.
        folds: how many folds there are under other splits.
    """

    row: Row
    split: SplitKind
    seed: int
    folds: int = USUAL_FOLDS

    def folder(self, runs: Path) -> Path:
        """Return the run folder below the folder of a study's runs."""
        return runs / self.row.name / f"{self.split}-{self.seed}"

    def options(self) -> TrainingOptions:
        """Return the options that the run is trained with, none of them open.

        Raises:
            TrainingError: an option does not fit the network.
        """
        row, fold = self.row, fold_of_seed(self.split, self.seed, self.folds)
        return settle_options(
            find_recipe(row.network),
            None,
            weights=row.weights,
            epochs=row.epochs,
            seed=self.seed,
            test_fraction=None,
            balance=row.balance,
            augmentation=row.augmentation,
            split=self.split,
            fold=None if fold is None else str(fold),
        )

    def __str__(self) -> str:
        fold = fold_of_seed(self.split, self.seed, self.folds)
        return f"{self.row.name}, {self.split} split, seed {self.seed}" + (
            f", fold {fold}" if fold else ""
        )


def plan_runs(
    rows: Sequence[Row], splits: Sequence[SplitKind], seeds: Sequence[int]
) -> tuple[RunPlan, ...]:
    """Return every row under every split with every seed.

    All rows have their first seed before any has its second, so that a study that was stopped can
    be read as one of fewer seeds.
    """
    return tuple(RunPlan(row, split, seed) for seed in seeds for split in splits for row in rows)
