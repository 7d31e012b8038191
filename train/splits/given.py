"""Divisions that are given back in as files."""

from __future__ import annotations

from dataclasses import replace

from edge.errors import LeakageError, SplitError
from train.image_set import ImageSet
from train.splits.split import PARTS, Split

_NEXT_STEP = "Give the folder that the split was made of, or make a split of this one"


def match_split(split: Split, image_set: ImageSet) -> Split:
    """Bring a division that was read from a file into the order of an image set.

    Files are matched by their content: they may have been moved or renamed.

    Args:
        split: of the same images.
        image_set: n images.

    Raises:
        SplitError: images are missing, extra or changed, or a part lacks a class.
        LeakageError: one file's content is in several parts.
    """
    parts: dict[str, tuple[str, int]] = {}
    for path, digest, part, group in zip(
        split.paths, split.digests, split.parts, split.groups, strict=True
    ):
        if parts.setdefault(digest, (part, group))[0] != part:
            raise LeakageError(
                "An image is in one part only",
                got=f"{path} in {part}, and the same content in {parts[digest][0]}",
                next_step="Make the split with `blastscope split`",
            )
    _require_same_files(split, image_set)
    found = [parts[digest] for digest in image_set.digests]
    matched = replace(
        split,
        paths=image_set.paths,
        digests=image_set.digests,
        parts=tuple(part for part, _ in found),
        groups=tuple(group for _, group in found),
    )
    _require_classes(matched, image_set)
    return matched


def _require_same_files(split: Split, image_set: ImageSet) -> None:
    """Tell which images are changed, missing or extra, in this order."""
    recorded = dict(zip(split.paths, split.digests, strict=True))
    present, known = set(image_set.digests), set(split.digests)
    files = dict(zip(image_set.paths, image_set.digests, strict=True))
    changed = [
        path
        for path, digest in files.items()
        if path in recorded and recorded[path] != digest and digest not in known
    ]
    missing = [
        path for path, digest in recorded.items() if digest not in present and path not in changed
    ]
    extra = [path for path, digest in files.items() if digest not in known and path not in changed]
    differences = [
        f"{len(paths)} {what}, such as {paths[0]}"
        for what, paths in (("changed", changed), ("missing", missing), ("extra", extra))
        if paths
    ]
    if differences:
        raise SplitError(
            "A split that is given in tells the part of exactly the images in the folder",
            got="; ".join(differences),
            next_step=_NEXT_STEP,
        )


def _require_classes(split: Split, image_set: ImageSet) -> None:
    """Refuse a division of which a part lacks a class; there may be no test part at all."""
    for part in PARTS:
        if part == "test" and split.judging != part:
            continue
        present = set(image_set.targets[split.indices(part)].tolist())
        for target, label in enumerate(image_set.labels):
            if target not in present:
                raise SplitError(
                    "Each part has images of each class",
                    got=f"none of class {label} in {part}",
                    next_step="Make the split with `blastscope split`",
                )
