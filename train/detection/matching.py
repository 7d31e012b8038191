"""Which of the boxes that were found are right."""

from __future__ import annotations

from collections.abc import Sequence

from train.detection.annotations import Box


def intersection_over_union(one: Box, other: Box) -> float:
    """Return the area that two boxes share against the area that they cover, in [0, 1]."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def match_boxes(found: Sequence[Box], true: Sequence[Box], least: float = 0.5) -> dict[int, int]:
    """Give each true box at most one found box.

    As in the PASCAL VOC challenge (Everingham et al., IJCV 88, 2010, section 4.2): in the order of
    their scores, found boxes take the true box that they overlap most, if it is still free and
    the intersection over union reaches the least one.

    Args:
        found: boxes, the highest score first.
        true: boxes that people have drawn.
        least: intersection over union that counts as found.

    Returns:
        For each found box that is right, by its index, the index of its true box.
    """
    matches: dict[int, int] = {}
    for index, box in enumerate(found):
        overlaps = [intersection_over_union(box, other) for other in true]
        best = max(range(len(true)), key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] >= least and best not in matches.values():
            matches[index] = best
    return matches


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
