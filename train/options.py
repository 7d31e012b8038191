"""What a training run is asked for, settled before any image is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import TrainingError
from train.augmentation.names import AUGMENTATIONS, check_augmentations
from train.balance.methods import Balance
from train.recipes import Recipe
from train.run_folder import RunConfig
from train.splits.kinds import SPLIT_KINDS, parse_fold
from train.splits.split import DEFAULT_TEST_FRACTION, check_test_fraction


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """A run's options, none of them open.

    Attributes:
        weights: of the backbone: "imagenet", "none" or a path; None where there is no backbone.
        epochs: passes over the training part.
        seed: of everything random.
        test_fraction: share of the images in the test part.
        balance: a name out of `train.balance.methods.BALANCES`.
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`, in its order.
        split: one of `train.splits.kinds.SPLIT_KINDS`, or the path of a split's file.
        fold: such as "1/5"; None for a single division.
        teacher: the run folder of a network to learn from; None for none.
    """

    weights: str | None
    epochs: int
    seed: int
    test_fraction: float
    balance: Balance
    augmentation: tuple[str, ...]
    split: str = "random"
    fold: str | None = None
    teacher: Path | None = None


def settle_options(
    recipe: Recipe,
    before: RunConfig | None,
    *,
    weights: str | None,
    epochs: int | None,
    seed: int | None,
    test_fraction: float | None,
    balance: Balance | None,
    augmentation: Sequence[str] | None = None,
    split: str | None = None,
    fold: str | None = None,
    teacher: Path | None = None,
) -> TrainingOptions:
    """Fill in the options that are None, and refuse those that do not fit.

    Args:
        recipe: of the network.
        before: the run to go on with, whose options are then taken; None for a new run, which
            takes the recipe's weights and epochs, seed 0, a test fraction of 0.2 and no balancing.
        weights: see `TrainingOptions`, as are those below.
        epochs: passes over the training part.
        seed: of everything random.
        test_fraction: share of the images in the test part.
        balance: a name out of `train.balance.methods.BALANCES`.
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`; None takes those
            of the run before, or the recipe's.
        split: one of `train.splits.kinds.SPLIT_KINDS`, or the path of a split's file.
        fold: such as "1/5".
        teacher: the run folder of a network to learn from.

    Raises:
        TrainingError: the network takes no weights, the weights are not there, there would be no
            epoch, or an augmentation is unknown.
        SplitError: the test fraction is out of range, or the split or fold is none.
    """
    if before is not None and weights is None:
        # The checkpoint has all weights: the file that they came from may be gone.
        settled_weights = before.weights
    else:
        settled_weights = _choose_weights(recipe, weights)
    settled_split, settled_fold = _choose_split(before, split, fold, test_fraction)
    if before is not None:
        epochs = before.epochs if epochs is None else epochs
        seed = before.seed if seed is None else seed
        test_fraction = before.test_fraction if test_fraction is None else test_fraction
        balance = balance or before.balance
        augmentation = before.augmentation if augmentation is None else augmentation
        if teacher is None and before.teacher is not None:
            teacher = Path(before.teacher)
    chosen = recipe.augmentation if augmentation is None else augmentation
    check_augmentations(chosen)
    options = TrainingOptions(
        weights=settled_weights,
        epochs=recipe.epochs if epochs is None else epochs,
        seed=seed or 0,
        test_fraction=DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction,
        balance=balance or "none",
        augmentation=tuple(name for name in AUGMENTATIONS if name in chosen),
        split=settled_split,
        fold=settled_fold,
        teacher=None if teacher is None else teacher.resolve(),
    )
    if options.epochs < 1:
        raise TrainingError(
            "Training takes one epoch or more",
            got=options.epochs,
            next_step="Give --epochs 1 or more",
        )
    check_test_fraction(options.test_fraction)
    return options


def _choose_split(
    before: RunConfig | None, split: str | None, fold: str | None, test_fraction: float | None
) -> tuple[str, str | None]:
    """Settle what the images are divided by, before any of them is read."""
    if before is not None:
        if split is None:
            split, fold = before.split_file or before.split, before.fold if fold is None else fold
        if before.split_file is not None and Path(split).resolve() == Path(before.split_file):
            # The run has a copy: the file may be gone.
            return before.split_file, None
    split = split or "random"
    check_split_options(split, fold, test_fraction)
    given = split not in SPLIT_KINDS
    if fold is not None:
        fold = str(parse_fold(fold))
    return str(Path(split).resolve()) if given else split, fold


def check_split_options(split: str, fold: str | None, test_fraction: float | None) -> None:
    """Refuse options of a division that do not fit together, before any image is read.

    Args:
        split: one of `train.splits.kinds.SPLIT_KINDS`, or the path of a split's file.
        fold: such as "1/5"; None for a single division.
        test_fraction: share of the images in the test part; None where it was not given.

    Raises:
        TrainingError: there is no such kind or file, or one option leaves no room for another.
    """
    given = split not in SPLIT_KINDS
    if given and not Path(split).is_file():
        raise TrainingError(
            f"--split is {', '.join(SPLIT_KINDS)}, or the path of a split's file",
            got=split,
            next_step="Check the path, or make such a file with `blastscope split`",
        )
    if given and fold is not None:
        raise TrainingError(
            "A split's file is one fold already",
            got=f"--split {split} with --fold {fold}",
            next_step="Leave --fold out",
        )
    if (given or fold is not None) and test_fraction is not None:
        raise TrainingError(
            "The test part is as large as the split's file or the folds make it",
            got=f"--test-fraction {test_fraction} with {'--split' if given else '--fold'}",
            next_step="Leave --test-fraction out",
        )


def _choose_weights(recipe: Recipe, weights: str | None) -> str | None:
    """Settle where a backbone's weights come from, before any image is read."""
    if recipe.default_weights is None:
        if weights not in (None, "none"):
            raise TrainingError(
                f"{recipe.network} is trained from scratch and takes no weights",
                got=f"--weights {weights}",
                next_step="Leave --weights out, or train mobilenet-v2",
            )
        return None
    weights = weights or recipe.default_weights
    if weights not in ("imagenet", "none"):
        if not Path(weights).is_file():
            raise TrainingError(
                "--weights is `imagenet`, `none` or the path of a .weights.h5 file",
                got=weights,
                next_step="Check the path",
            )
        return str(Path(weights).resolve())
    return weights
