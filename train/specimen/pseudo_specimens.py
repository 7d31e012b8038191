"""python -m train.specimen.pseudo_specimens: answers for groups of images that stand for smears.

No image set at hand says which fields are of one smear. Pseudo-groups, images of one class that
look as if they came from one, are the closest to it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.cli.main import run
from edge.cli.options import MODEL, PATH, json_option, percent, print_json, progress_bar, table
from edge.image_file import read_image
from edge.labels import benign_label
from edge.specimen import Specimen, SpecimenRule
from train.evaluation.parts import choose_part, find_groups
from train.image_set import ImageSet, Progress, read_image_set
from train.splits.pseudo_groups import pseudo_groups
from train.splits.split import read_split


def answer_groups(
    classifier: Classifier,
    image_set: ImageSet,
    chosen: NDArray[np.int64],
    groups: NDArray[np.int64],
    least_fields: int,
    rule: SpecimenRule,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Answer for each class of each group.

    Args:
        classifier: an int8 model.
        image_set: the images.
        chosen: positions in it; int64, shape (n,).
        groups: of those; int64, shape (n,).
        least_fields: smaller ones are left out.
        rule: what makes an answer.
        progress: called with (images done, images in all).

    Returns:
        For each, `group`, `label` (its class), and all that the answer has.
    """
    targets = image_set.targets[chosen]
    rows, done = [], 0
    for group in np.unique(groups):
        for target in np.unique(targets[groups == group]):
            fields = chosen[(groups == group) & (targets == target)]
            done += len(fields)
            if len(fields) >= least_fields:
                specimen = Specimen(classifier.model, rule)
                for place in fields:
                    frame = read_image(image_set.folder / image_set.paths[place])
                    specimen.add(classifier.classify(frame), frame)
                label = image_set.labels[target]
                rows.append({"group": int(group), "label": label, **specimen.answer().as_json()})
            progress(done, len(chosen))
    return rows


@click.command(
    epilog="""\b
Examples:
  python -m train.specimen.pseudo_specimens model.tflite images --split run/split.csv
  python -m train.specimen.pseudo_specimens model.tflite images --split run/split.csv --json""",
)
@click.argument("model", type=MODEL)
@click.argument("data", type=PATH)
@click.option("--split", "split_path", type=PATH, required=True, help="The run's split.csv.")
@click.option(
    "--part",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="One that the model was not trained on.",
)
@click.option("--least-fields", type=click.IntRange(min=1), default=12, show_default=True)
@json_option
def command(
    model: Path, data: Path, split_path: Path, part: str, least_fields: int, as_json: bool
) -> None:
    """Answer for the groups of DATA's images in a part as if each were a specimen."""
    split = read_split(split_path)
    with Classifier.load(model) as classifier:
        image_set = read_image_set(data, 224, 224, classifier.labels)
        chosen = choose_part(image_set, part, split)
        groups = find_groups(image_set, chosen, split)
        if groups is None or split.kind == "random":
            groups = pseudo_groups(image_set)[chosen]
        with progress_bar("Classifying") as show:
            rows = answer_groups(
                classifier, image_set, chosen, groups, least_fields, SpecimenRule(), show
            )
    benign = benign_label(image_set.labels)
    wrong = sum(
        row["answer"] == ("malignant" if row["label"] == benign else "benign") for row in rows
    )
    if as_json:
        print_json({"part": part, "wrong": wrong, "rows": rows}, indent=2)
        return
    header = ("group", "class", "fields", "malignant", "answer", "interval")
    click.echo(table(header, [_cells(row) for row in rows]))
    click.echo(f"\n{wrong} of {len(rows)} answered wrongly")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    counts, malignant = row["fields"], row["malignant"]
    said = row["answer"] + ("" if row["more_fields"] is None else f" ({row['more_fields']})")
    low, high = malignant["interval"]
    return (
        str(row["group"]),
        row["label"],
        f"{counts['results']} of {sum(counts.values()) - counts['effective']:g}",
        str(malignant["fields"]),
        said,
        f"{percent(low)} to {percent(high)}",
    )


if __name__ == "__main__":
    sys.exit(run(command=command))
