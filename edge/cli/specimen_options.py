"""Options of the commands that answer for a specimen, and how the answer is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge.cli.options import percent, table

if TYPE_CHECKING:
    from edge.specimen import Outcome, SpecimenAnswer

_Function = TypeVar("_Function", bound=Callable[..., Any])


def specimen_options(function: _Function) -> _Function:
    """Add what makes an answer: shares, the most fields, and how much alike fields are.

    The names are those of `edge.specimen.SpecimenRule`, which has the defaults too.
    """
    share = click.FloatRange(0.0, 1.0, min_open=True, max_open=True)
    options = (
        click.option(
            "--benign-share",
            type=share,
            help="Benign where fewer of its fields are malignant; 0.2 if left out.",
        ),
        click.option(
            "--malignant-share",
            type=share,
            help="Malignant where more of its fields are; 0.5 if left out.",
        ),
        click.option(
            "--most-fields",
            type=click.IntRange(min=1),
            help="Where so many do not decide, a person has to; 200 if left out.",
        ),
        click.option(
            "--design-effect",
            type=click.FloatRange(min=1.0),
            help="How many fields carry the information of one chosen on its own; 2 if left out.",
        ),
        click.option(
            "--correlation",
            type=click.FloatRange(0.0, 1.0, max_open=True),
            help="Of the model's errors within a specimen, which `python -m train.specimen` "
            "measures; 0.1 if left out.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def given(words: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, for `SpecimenRule`."""
    return {name: value for name, value in words.items() if value is not None}


def describe_outcome(outcome: Outcome) -> str:
    """Say in a few words where a specimen stands."""
    if outcome.verdict == "more":
        fields = "field" if outcome.more_fields == 1 else "fields"
        return f"{outcome.more_fields} more {fields}"
    return ", ".join([outcome.verdict.upper(), *outcome.reasons])


def describe_answer(answer: SpecimenAnswer) -> str:
    """Lay out an answer in full for a person."""
    level = f"{answer.confidence:.0%} interval"
    rows = [
        (label, str(one.fields), *_shares(one.share, one.interval))
        for label, one in answer.classes.items()
    ]
    malignant = _shares(answer.outcome.share, answer.interval)
    rows.append(("malignant", str(answer.malignant), *malignant))
    counts = (
        f"{answer.results} fields with a result, worth {answer.effective_fields:.0f} that are "
        f"independent; {answer.referred} for a person to look at, {answer.repeated} to be taken "
        f"again, {answer.seen_before} of a place counted already"
    )
    said = describe_outcome(answer.outcome)
    if answer.stage is not None:
        said += f", mostly {answer.stage}"
    return "\n".join(
        [table(("class", "fields", "share", level), rows), "", counts, f"Specimen: {said}"]
    )


def _shares(share: float | None, interval: tuple[float, float]) -> tuple[str, str]:
    low, high = interval
    return percent(share), f"{low:.1%} to {high:.1%}"
