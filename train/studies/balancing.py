"""Ways to balance the classes, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import TrainingError
from train.balance.methods import BALANCES, Balance
from train.recipes import find_recipe
from train.splits.kinds import SplitKind
from train.studies import table
from train.studies.comparison import RAREST_CLASS
from train.studies.comparison_tables import shown_differences
from train.studies.measurement import AS_THEY_ARE
from train.studies.over_seeds import sensitivity_for
from train.studies.paired import METHOD
from train.studies.plan import Row
from train.studies.report import document, rests_on, rows_of, splits_of
from train.studies.table import NONE, Table

#: What the others are compared with.
BASELINE: Balance = "none"

#: The ways that are SMOTE, of which it is asked whether they help.
_SMOTE: tuple[Balance, ...] = ("smote", "smote-features")


def balancing_rows(
    network: str,
    names: Sequence[str] | None = None,
    *,
    weights: str | None = None,
    epochs: int | None = None,
) -> list[Row]:
    """Return a row for each way to balance, the baseline first.

    Args:
        network: a name out of `train.recipes.RECIPES`.
        names: out of `train.balance.methods.BALANCES`; None takes all. The baseline is added.
        weights: of a backbone; None takes the recipe's.
        epochs: passes over the training part; None takes the recipe's.

    Raises:
        TrainingError: a name is unknown, or there is no such network.
    """
    find_recipe(network)
    if unknown := sorted(set(names or ()) - set(BALANCES)):
        raise TrainingError(
            f"The rows are {', '.join(BALANCES)}",
            got=", ".join(unknown),
            next_step="Choose among them",
        )
    chosen = [name for name in BALANCES if names is None or name in names or name == BASELINE]
    return [
        Row(name, network, weights, balance=name, epochs=epochs)
        for name in sorted(chosen, key=lambda name: name != BASELINE)
    ]


def balancing_markdown(report: Mapping[str, Any]) -> str:
    """Return the study's tables and what they say about SMOTE.

    Args:
        report: as `train.studies.comparison.compare_rows` returns it.
    """
    tables = [_table(report, split).markdown() for split in splits_of(report)]
    return document(
        f"Balancing the classes, {report['network']}",
        [*tables, f"**{smote_sentence(report)}**", shown_differences(report, _named(report))],
    )


def smote_sentence(report: Mapping[str, Any]) -> str:
    """Say plainly whether SMOTE helps here.

    Args:
        report: as `train.studies.comparison.compare_rows` returns it.
    """
    shown: dict[str, list[str]] = {"higher": [], "lower": []}
    rows = [row for row in report["rows"] if row["row"] in _SMOTE]
    if not rows:
        return "SMOTE was not among the rows."
    for row in rows:
        for key, name in _named(report).items():
            direction = row["differences"].get(key, {}).get("verdict")
            if direction is not None:
                shown[direction].append(f"{name} of {row['row']} under the {row['split']} split")
    if not any(shown.values()):
        return (
            f"SMOTE is not shown to help here, nor to harm: neither accuracy nor "
            f"{sensitivity_for(report['rarest_class'])}, the rarest class, differs from "
            f"{report['baseline']} beyond chance."
        )
    said = [
        f"SMOTE {verb} here: {direction} {', '.join(found)}."
        for direction, verb in (("higher", "helps"), ("lower", "harms"))
        if (found := shown[direction])
    ]
    return " ".join(said)


def _named(report: Mapping[str, Any]) -> dict[str, str]:
    """Return what each difference of this study is called."""
    return {
        AS_THEY_ARE: "accuracy",
        RAREST_CLASS: sensitivity_for(report["rarest_class"]),
    }


def _table(report: Mapping[str, Any], split: SplitKind) -> Table:
    rare = sensitivity_for(report["rarest_class"])
    rows = []
    for row in rows_of(report, split):
        figures, differences = row["figures"], row.get("differences", {})
        rows.append(
            (
                row["row"],
                table.share(figures["accuracy"]),
                table.difference(differences.get(AS_THEY_ARE)) if differences else NONE,
                table.number(figures["macro_f1"]),
                table.share(figures.get(rare)),
                table.difference(differences.get(RAREST_CLASS)) if differences else NONE,
            )
        )
    return Table(
        f"{split.capitalize()} split",
        (
            "balance",
            "accuracy",
            f"points against {report['baseline']}",
            "macro F1",
            f"{rare}, the rarest class",
            f"points against {report['baseline']}",
        ),
        tuple(rows),
        rests_on(
            report,
            split,
            f"differences with 95 % intervals by {METHOD}, not corrected for their number",
        ),
    )
