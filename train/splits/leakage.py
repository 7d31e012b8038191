"""The check that nothing stands on both sides of a division.

Run on every division before training, those that were read from a file included. What belongs
together is found anew from the images: what a file says of it is not trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.errors import LeakageError
from train.image_set import ImageSet
from train.splits.division import Grouping, find_groups
from train.splits.kinds import SplitKind
from train.splits.split import Split

_RULES: Final[dict[SplitKind, str]] = {
    "random": "An image, and every near, mirrored or turned copy of it, is in one part only",
    "grouped": "A pseudo-group (images that look as if from one smear) is in one part only",
    "subject": "A subject is in one part only",
    "unseen-subjects": "A subject of the test part is in no other part",
}


def check_leakage(split: Split, image_set: ImageSet, grouping: Grouping | None = None) -> None:
    """Refuse a division that leaks.

    No kind of division may have copies of an image in several parts. One by subject may not have a
    subject in several, and a grouped one no pseudo-group. Of one that leaves subjects out,
    training and validation may share subjects, and none with the test part.

    Args:
        split: of the images of `image_set`, in their order.
        image_set: n images.
        grouping: what the division's kind keeps whole, found in these very images; None finds it.

    Raises:
        LeakageError: the same thing is in several parts; up to five examples are named.
        SplitError: an image is in two classes, or the division is by subject and the names tell
            none.
    """
    if grouping is None:
        grouping = find_groups(image_set, split.kind)
    check_groups(grouping.duplicates, split.parts, image_set.paths, _RULES["random"])
    parts = split.parts
    if split.kind == "unseen-subjects":
        parts = tuple("test" if part == "test" else "training and validation" for part in parts)
    check_groups(grouping.groups, parts, image_set.paths, _RULES[split.kind])


def check_groups(
    groups: NDArray[np.int64], parts: Sequence[str], names: Sequence[str], rule: str
) -> None:
    """Refuse a division of which some group is in several parts.

    Args:
        groups: each image's group; int64, shape (n,).
        parts: each image's part.
        names: what to call each image in the message.
        rule: the message's first sentence, without its full stop.

    Raises:
        LeakageError: a group is in several parts; up to five are named.
    """
    order = np.argsort(groups, kind="stable")
    found: dict[int, tuple[int, int]] = {}
    for one, other in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        if groups[one] == groups[other] and parts[one] != parts[other]:
            found.setdefault(int(groups[one]), (one, other))
    if found:
        examples = [
            f"{names[one]} in {parts[one]} and {names[other]} in {parts[other]}"
            for one, other in found.values()
        ]
        raise LeakageError(
            rule,
            got=f"{len(found)} that cross: {'; '.join(examples[:5])}",
            next_step="Make the split with `blastscope split`, which keeps them together",
        )


def check_children(parents: NDArray[np.int64], parts: Sequence[str]) -> None:
    """Refuse synthetic or augmented images that were made from others than training images.

    Args:
        parents: the images that each child was made of, as positions in the whole set; int64,
            shape (children, parents of each).
        parts: the part of each image of the set.

    Raises:
        LeakageError: a parent is not in the training part.
    """
    outside = np.array([part != "train" for part in parts])[parents].any(axis=-1)
    if outside.any():
        child = int(np.flatnonzero(outside)[0])
        made_of = ", ".join(sorted({parts[parent] for parent in np.atleast_1d(parents[child])}))
        raise LeakageError(
            "A synthetic or augmented image is made of training images only",
            got=f"{int(outside.sum())} of {len(parents)} that are not, the first made of images "
            f"of: {made_of}",
            next_step="Balance and augment the training part only, after the division",
        )
