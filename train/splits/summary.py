"""What a division came to, in numbers."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from train.splits.split import PARTS, Split


def summarize(split: Split) -> dict[str, Any]:
    """Count a division's images and groups.

    Args:
        split: with paths that end in `<class>/<file>`.

    Returns:
        `kind`, `seed`, `fold`, `digest`, `caveat`, `n`; `images`, for each part the images of
        each class; `groups`, for each part how many there are; `crossing`, how many groups are in
        several parts, going by the file alone.
    """
    labels = [PurePosixPath(path).parent.name for path in split.paths]
    images = {part: dict.fromkeys(sorted(set(labels)), 0) for part in PARTS}
    groups: dict[str, set[int]] = {part: set() for part in PARTS}
    for label, part, group in zip(labels, split.parts, split.groups, strict=True):
        images[part][label] += 1
        groups[part].add(group)
    distinct = len(set(split.groups))
    return {
        "kind": split.kind,
        "seed": split.seed,
        "fold": split.fold,
        "digest": split.digest(),
        "caveat": split.caveat,
        "n": len(split.parts),
        "images": images,
        "groups": {part: len(groups[part]) for part in PARTS},
        "crossing": sum(len(found) for found in groups.values()) - distinct,
    }
