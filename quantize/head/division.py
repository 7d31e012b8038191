"""What follows from images alone, and takes seconds: how they are divided, and their quality."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from edge import __version__
from edge.quality import QualityLimits
from quantize.abstention import MOST_SPOILED
from quantize.head.kept import kept
from train.image_set import ImageSet
from train.quality.fitting import fit_limits
from train.splits.checked import make_split, take_split
from train.splits.kinds import SPLIT_KINDS, Fold
from train.splits.split import Split, read_split


def divide_images(
    image_set: ImageSet, kind: str, fold: Fold | None, test_fraction: float, seed: int
) -> Split:
    """Divide images, or take the division that was made of the same images before.

    Args:
        image_set: n images.
        kind: one of `train.splits.kinds.SPLIT_KINDS`, or the path of a split's file.
        fold: which part is tested; None for a single division.
        test_fraction: share of the images in the test part.
        seed: of the random order.

    Raises:
        SplitError: the set cannot be divided so, or the file is no such split.
        LeakageError: the division leaks.
    """
    if kind not in SPLIT_KINDS:
        return take_split(image_set, read_split(Path(kind)))
    files = [f"{p} {d}" for p, d in zip(image_set.paths, image_set.digests, strict=True)]
    held = kept(
        ("split", __version__, files, kind, str(fold), test_fraction, seed),
        lambda: asdict(make_split(image_set, kind, test_fraction, seed, fold)),
    )
    return Split(
        paths=image_set.paths,
        digests=image_set.digests,
        parts=tuple(held["parts"]),
        groups=tuple(held["groups"]),
        kind=held["kind"],
        seed=held["seed"],
        fold=held["fold"],
    )


def quality_limits(image_set: ImageSet, split: Split, seed: int) -> QualityLimits:
    """Fit the limits of quality to the training part, or take those that were fitted before.

    Args:
        image_set: n images, at the size at which quality is measured.
        split: of these images.
        seed: of what is random in spoiling some of them.
    """
    train_part = split.indices("train")
    held = kept(
        ("limits", __version__, [image_set.digests[place] for place in train_part], seed),
        lambda: fit_limits(
            image_set.images[train_part], seed, {"part": "train"}, MOST_SPOILED
        ).as_json(),
    )
    return QualityLimits.from_json(held, "the cache")
