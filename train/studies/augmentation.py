"""What each kind of augmentation buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import TrainingError
from train.recipes import find_recipe
from train.splits.kinds import SplitKind
from train.studies import table
from train.studies.comparison_tables import shown_differences
from train.studies.measurement import AS_THEY_ARE, CORNER_SWAPPED, LABORATORY_SHIFT
from train.studies.paired import METHOD
from train.studies.plan import Row
from train.studies.report import document, rests_on, rows_of, splits_of
from train.studies.table import NONE, Table

#: Augmentations that do one thing together, by what the rows call it.
KINDS: dict[str, tuple[str, ...]] = {
    "turn": ("turn",),
    "stain": ("channel", "stain"),
    "lab": ("hue",),
    "light": ("exposure", "white-balance"),
    "camera": ("defocus", "noise", "jpeg"),
    "corner": ("corner",),
}

#: What the others are compared with: all that the network's recipe has.
BASELINE = "all"

#: Every row: all but a kind, and a kind alone, besides all and nothing.
ROWS = (
    BASELINE,
    "none",
    *(f"without-{kind}" for kind in KINDS),
    *(f"only-{kind}" for kind in KINDS),
)

#: What each kind buys beside the others; few enough to be trained in a night on two cores.
DEFAULT_ROWS = (BASELINE, "none", *(f"without-{kind}" for kind in KINDS))

#: What is compared, and what it is called.
_COMPARISONS = {
    AS_THEY_ARE: "accuracy",
    LABORATORY_SHIFT: "accuracy under the laboratory shift",
    CORNER_SWAPPED: "accuracy with the corner swapped",
}


def augmentation_rows(
    network: str,
    names: Sequence[str] | None = None,
    *,
    weights: str | None = None,
    epochs: int | None = None,
) -> list[Row]:
    """Return a row for each choice of augmentations, the baseline first.

    Args:
        network: a name out of `train.recipes.RECIPES`.
        names: out of `ROWS`; None takes `DEFAULT_ROWS`. The baseline is added. Those that would be
            the baseline again, since the recipe lacks their kind, are left out.
        weights: of a backbone; None takes the recipe's.
        epochs: passes over the training part; None takes the recipe's.

    Raises:
        TrainingError: a name is unknown, or there is no such network.
    """
    everything = find_recipe(network).augmentation
    if unknown := sorted(set(names or ()) - set(ROWS)):
        raise TrainingError(
            f"The rows are {', '.join(ROWS)}",
            got=", ".join(unknown),
            next_step="Choose among them",
        )
    chosen = {BASELINE: everything}
    for name in DEFAULT_ROWS if names is None else names:
        augmentation = _augmentation(name, everything)
        if augmentation not in chosen.values():
            chosen[name] = augmentation
    return [
        Row(name, network, weights, augmentation=augmentation, epochs=epochs)
        for name, augmentation in chosen.items()
    ]


def augmentation_markdown(report: Mapping[str, Any]) -> str:
    """Return the study's tables and what they say of each row.

    Args:
        report: as `train.studies.comparison.compare_rows` returns it.
    """
    tables = [_table(report, split).markdown() for split in splits_of(report)]
    trained_with = {row["row"]: row["training"]["augmentation"] for row in report["rows"]}
    legend = [f"- {row}: {', '.join(names) or 'nothing'}" for row, names in trained_with.items()]
    return document(
        f"What augmentation buys, {report['network']}",
        ["\n".join(legend), *tables, shown_differences(report, _COMPARISONS)],
    )


def _augmentation(name: str, everything: Sequence[str]) -> tuple[str, ...]:
    if name == BASELINE:
        return tuple(everything)
    if name == "none":
        return ()
    form, _, kind = name.partition("-")
    return tuple(one for one in everything if (one in KINDS[kind]) == (form == "only"))


def _table(report: Mapping[str, Any], split: SplitKind) -> Table:
    rows = []
    for row in rows_of(report, split):
        figures, differences = row["figures"], row.get("differences", {})
        cells = [row["row"]]
        for name in _COMPARISONS:
            figure = figures.get("accuracy" if name == AS_THEY_ARE else name)
            cells.append(table.share(figure))
            cells.append(table.difference(differences.get(name)) if differences else NONE)
        rows.append(tuple(cells))
    header = ["trained with"]
    for name in _COMPARISONS:
        header += ["accuracy" if name == AS_THEY_ARE else name, f"points against {BASELINE}"]
    return Table(
        f"{split.capitalize()} split",
        tuple(header),
        tuple(rows),
        rests_on(
            report,
            split,
            f"differences with 95 % intervals by {METHOD}, not corrected for their number",
            "alterations drawn with each run's seed",
        ),
    )
