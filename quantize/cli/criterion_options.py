"""The accuracy gate's limits as options."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from quantize.accuracy_gate.criterion import Criterion

_DEFAULT = Criterion()


def criterion_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the limits to a command, which gets them as `criterion`."""

    @click.option(
        "--max-drop",
        metavar="POINTS",
        type=float,
        default=_DEFAULT.max_drop_points,
        show_default=True,
        help="Largest loss of accuracy.",
    )
    @click.option(
        "--max-sensitivity-drop",
        metavar="POINTS",
        type=float,
        default=_DEFAULT.max_sensitivity_drop_points,
        show_default=True,
        help="Largest loss of any class's sensitivity.",
    )
    @click.option(
        "--max-malignant-to-benign",
        metavar="N",
        type=int,
        default=_DEFAULT.max_malignant_to_benign,
        show_default=True,
        help="Most malignant images that int8 alone calls benign.",
    )
    @click.option(
        "--min-agreement",
        metavar="SHARE",
        type=float,
        default=_DEFAULT.min_agreement,
        show_default=True,
        help="Least share of images to which float and int8 give the same class.",
    )
    @wraps(function)
    def with_criterion(
        *args: Any,
        max_drop: float,
        max_sensitivity_drop: float,
        max_malignant_to_benign: int,
        min_agreement: float,
        **options: Any,
    ) -> Any:
        criterion = Criterion(
            max_drop, max_sensitivity_drop, max_malignant_to_benign, min_agreement
        )
        return function(*args, criterion=criterion, **options)

    return with_criterion
