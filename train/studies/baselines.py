"""What shortcuts alone score under the very splits of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import DatasetError
from train.audit.shortcuts import CLASSIFIERS, SHORTCUTS, shortcut_baselines, shortcut_features
from train.evaluation.seeds import summarize_values
from train.image_set import ImageSet
from train.splits.kinds import SplitKind
from train.splits.split import Split


def summarize_shortcuts(
    image_set: ImageSet, splits: Mapping[SplitKind, Sequence[Split]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Score every shortcut with every classifier on the test parts of some splits.

    Args:
        image_set: the images, 224 x 224 pixels.
        splits: for each kind of split, those of the seeds.

    Returns:
        For each kind and each "SHORTCUT, CLASSIFIER": mean and spread of the accuracy over the
        seeds, as `train.evaluation.seeds.summarize_values` has them.

    Raises:
        DatasetError: a split does not know all of the images, or a file has gone.
        SplitError: a part is empty, or the training part has one class only.
    """
    features = shortcut_features(image_set)
    summary: dict[str, dict[str, dict[str, Any]]] = {}
    for kind, of_seeds in splits.items():
        rounds = [
            shortcut_baselines(image_set, parts_of(image_set, split), features)
            for split in of_seeds
        ]
        summary[kind] = {
            name: summarize_values([one[name]["accuracy"] for one in rounds]) for name in rounds[0]
        }
    return summary


def parts_of(image_set: ImageSet, split: Split) -> tuple[str, ...]:
    """Return each image's part, found by its content.

    Raises:
        DatasetError: the split does not know an image.
    """
    known = dict(zip(split.digests, split.parts, strict=True))
    try:
        return tuple(known[digest] for digest in image_set.digests)
    except KeyError as error:
        raise DatasetError(
            "A study's splits know all of its images",
            got=f"an image with SHA-256 {error}, which a run's split.csv lacks",
            next_step="Remove that run, or start the study again with another --out",
        ) from error


def better_classifier(summary: dict[str, dict[str, Any]], shortcut: str) -> str:
    """Return "SHORTCUT, CLASSIFIER" of the classifier that does better by a shortcut."""
    names = [f"{shortcut}, {classifier}" for classifier in CLASSIFIERS]
    return max(names, key=lambda name: float(summary[name]["mean"]))


def shortcut_rows(summary: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each shortcut its better classifier's figures, named for a table."""
    rows = {}
    for shortcut in SHORTCUTS:
        name = better_classifier(summary, shortcut)
        rows[f"{shortcut} alone ({name.removeprefix(f'{shortcut}, ')})"] = summary[name]
    return rows
