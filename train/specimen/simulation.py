"""python -m train.specimen.simulation: how often specimens of a known share are answered wrongly.

What a specimen's fields say is drawn: the model's sensitivity and specificity once for each
specimen, so that its errors are alike; then field after field, each as often in a row as the design
effect says, as fields beside each other are alike; some are for a person to look at. After each
field the rule is asked, and the first answer counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from edge.cli.main import run
from edge.cli.options import MODEL, json_option, percent, print_json, progress_bar, table
from edge.model_file import read_model_file
from edge.specimen.error_rates import ErrorRates, malignant_rates
from edge.specimen.rule import Decider, Fields, SpecimenRule
from train.evaluation.intervals import wilson_interval

#: Shares of malignant fields that are tried: none, few, at each limit, and all.
SHARES = (0.0, 0.05, 0.2, 0.35, 0.5, 0.8, 1.0)


def simulate(
    rates: ErrorRates,
    rule: SpecimenRule,
    share: float,
    specimens: int,
    referred: float,
    seed: int,
) -> dict[str, Any]:
    """Answer for specimens with a known share of malignant fields.

    Args:
        rates: the model's.
        rule: what makes an answer.
        share: of malignant fields, 0..1.
        specimens: how many.
        referred: share of fields that are for a person to look at, whatever they are.
        seed: of everything drawn.

    Returns:
        `share`; `answers`, how many were "malignant", "benign" and "refer"; `fields`, the median
        number of fields to an answer (None without answers); `missed`, how many ever had an
        interval without the share, with `missed_ci95` of their share, Wilson's.
    """
    decider = Decider(rates, rule)
    interval_of = cache(decider.interval)
    generator = np.random.default_rng((seed, round(share * 1000)))
    answers: Counter[str] = Counter()
    taken: list[int] = []
    missed = 0
    in_a_row = round(rule.design_effect)
    for _ in range(specimens):
        found = generator.beta(rates.sensitivity.a, rates.sensitivity.b)
        spared = generator.beta(rates.specificity.a, rates.specificity.b)
        fields, answer, outside = Fields(0, 0, 0), "refer", False
        while fields.total < rule.most_fields and answer == "refer":
            is_malignant = generator.random() < share
            told = generator.random() < (found if is_malignant else 1.0 - spared)
            unsure = generator.random() < referred
            for _ in range(in_a_row):
                fields = Fields(
                    fields.positive + (told and not unsure),
                    fields.results + (not unsure),
                    fields.referred + unsure,
                )
                interval = interval_of(fields)
                outside = outside or not interval[0] <= share <= interval[1]
                answer = decider.verdict(interval) or "refer"
                if answer != "refer" or fields.total >= rule.most_fields:
                    break
        answers[answer] += 1
        missed += outside
        if answer != "refer":
            taken.append(int(fields.total))
    return {
        "share": share,
        "answers": {name: answers[name] for name in ("malignant", "benign", "refer")},
        "fields": median(taken) if taken else None,
        "missed": missed,
        "missed_ci95": wilson_interval(missed, specimens),
    }


@click.command(
    epilog="""\b
Examples:
  python -m train.specimen.simulation mobilenet-v2
  python -m train.specimen.simulation model.tflite --specimens 1000 --json""",
)
@click.argument("model", type=MODEL)
@click.option("--specimens", type=click.IntRange(min=1), default=200, show_default=True)
@click.option(
    "--referred",
    type=click.FloatRange(0.0, 1.0),
    default=0.025,
    show_default=True,
    help="Share of fields that are for a person to look at.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@json_option
def command(model: Path, specimens: int, referred: float, seed: int, as_json: bool) -> None:
    """Simulate specimens for MODEL's error rates, and say how often the answer is wrong."""
    rule = SpecimenRule()
    rates = malignant_rates(read_model_file(model), rule.correlation)
    rows = []
    with progress_bar("Simulating") as show:
        for done, share in enumerate(SHARES, start=1):
            rows.append(simulate(rates, rule, share, specimens, referred, seed))
            show(done, len(SHARES))
    if as_json:
        print_json({"specimens": specimens, "seed": seed, "rows": rows}, indent=2)
        return
    header = ("malignant fields", "malignant", "benign", "refer", "fields", "interval missed it")
    cells = [
        (
            percent(row["share"]),
            *(str(count) for count in row["answers"].values()),
            "–" if row["fields"] is None else f"{row['fields']:g}",
            "{} ({:.1%} to {:.1%})".format(row["missed"], *row["missed_ci95"]),
        )
        for row in rows
    ]
    click.echo(table(header, cells))


if __name__ == "__main__":
    sys.exit(run(command=command))
