"""What a training run is asked for, settled before any image is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.errors import TrainingError
from train.recipes import Balance, Recipe
from train.run_folder import RunConfig
from train.splits.split import DEFAULT_TEST_FRACTION, check_test_fraction


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """A run's options, none of them open.

    Attributes:
        weights: of the backbone: "imagenet", "none" or a path; None where there is no backbone.
        epochs: passes over the training part.
        seed: of everything random.
        test_fraction: share of the images in the test part.
        balance: "smote" or "none".
    """

    weights: str | None
    epochs: int
    seed: int
    test_fraction: float
    balance: Balance


def settle_options(
    recipe: Recipe,
    before: RunConfig | None,
    *,
    weights: str | None,
    epochs: int | None,
    seed: int | None,
    test_fraction: float | None,
    balance: Balance | None,
) -> TrainingOptions:
    """Fill in the options that are None, and refuse those that do not fit.

    Args:
        recipe: of the network.
        before: the run to go on with, whose options are then taken; None for a new run, which
            takes the recipe's weights and epochs, seed 0, a test fraction of 0.2 and SMOTE.
        weights: see `TrainingOptions`, as are those below.
        epochs: passes over the training part.
        seed: of everything random.
        test_fraction: share of the images in the test part.
        balance: "smote" or "none".

    Raises:
        TrainingError: the network takes no weights, the weights are not there, or there would be
            no epoch.
        SplitError: the test fraction is out of range.
    """
    if before is not None and weights is None:
        # The checkpoint has all weights: the file that they came from may be gone.
        settled_weights = before.weights
    else:
        settled_weights = _choose_weights(recipe, weights)
    if before is not None:
        epochs = before.epochs if epochs is None else epochs
        seed = before.seed if seed is None else seed
        test_fraction = before.test_fraction if test_fraction is None else test_fraction
        balance = balance or before.balance
    options = TrainingOptions(
        weights=settled_weights,
        epochs=recipe.epochs if epochs is None else epochs,
        seed=seed or 0,
        test_fraction=DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction,
        balance=balance or "smote",
    )
    if options.epochs < 1:
        raise TrainingError(
            "Training takes one epoch or more",
            got=options.epochs,
            next_step="Give --epochs 1 or more",
        )
    check_test_fraction(options.test_fraction)
    return options


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
