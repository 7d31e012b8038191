"""Acquisition groups inferred from the images, where no patient key exists.

A pseudo-group is a set of images that look as if they came from one smear, or from one stain and
camera setting. It is inferred and not known: a patient may be in several, and several patients may
be in one.

How they are made:

1. Each image's colours are measured (`train.splits.look`), and each measure is divided by its
   standard deviation over the set. The style of the scale bar is a measure of its own.
2. Near-identical images become one point. So do bursts: images of one class folder that were
   numbered next to one another, have the same style of scale bar and look alike.
3. Ward's method joins the points, all classes together, until as many groups are left as the set
   has patients, going by the images that a patient has in the set with a known number of them.
4. The groups are numbered along the branches of their tree, so that groups of neighbouring numbers
   are alike. A part that takes neighbours holds a stain whole, not a sample of every stain: this
   is what makes it unseen (see `train.splits.grouped`).

Ward's method (Ward, "Hierarchical Grouping to Optimize an Objective Function", JASA 58, 1963) is
taken since it makes groups of similar size. Single and average linkage put most of a set that
varies smoothly into one group, of which no test part could be made.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cut_tree, leaves_list, linkage

from edge.errors import DatasetError, ImageFileError
from edge.image_file import decode_image
from train.image_set import ImageSet
from train.splits.duplicates import chained_pairs, connected_groups, duplicate_groups
from train.splits.look import LOOK_SIDE, LOOK_SIZE, ScaleBar, find_scale_bar, measure_look

#: Images for each pseudo-group: the four-class set of Aria et al. has 3,256 of 89 patients.
IMAGES_PER_GROUP = 37

#: Pseudo-groups for each class at the least, lest a small set could not be divided.
GROUPS_PER_CLASS = 6

#: File numbers that are no further apart than this are neighbours.
NUMBER_REACH = 2

#: Root-mean-square difference of two looks, in standard deviations, below which they are alike.
ALIKE = 0.5


def pseudo_groups(
    image_set: ImageSet,
    count: int | None = None,
    duplicates: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Number the inferred acquisition groups of an image set.

    The groups do not depend on a network's input size: see `read_looks`.

    Args:
        image_set: n images.
        count: how many groups to make; None takes one for each `IMAGES_PER_GROUP` images, and
            `GROUPS_PER_CLASS` for each class at the least.
        duplicates: each image's duplicate group, never divided; int64, shape (n,). None computes
            them.

    Returns:
        Each image's group, from 0 on; int64, shape (n,). The same images give the same groups.
    """
    if duplicates is None:
        duplicates = duplicate_groups(image_set.digests, image_set.thumbnails)
    looks, bars = read_looks(image_set)
    looks = _scale(looks)
    bursts = _bursts(looks, bars, image_set.paths)
    atoms = connected_groups(np.hstack([bursts, chained_pairs(duplicates)]), len(image_set))
    points = np.hstack([looks, np.eye(len(ScaleBar))[bars]])
    if count is None:
        count = max(GROUPS_PER_CLASS * len(image_set.labels), len(image_set) // IMAGES_PER_GROUP)
    return cluster(points, atoms, count)


def cluster(points: NDArray[np.float64], atoms: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Join points by Ward's method, those of one atom first.

    Args:
        points: float64, shape (n, measures).
        atoms: what is never divided, by number; int64, shape (n,).
        count: groups to make; where there are fewer atoms, each is a group.

    Returns:
        Each point's group, numbered from 0 on so that groups of neighbouring numbers are alike;
        int64, shape (n,).
    """
    _, atoms = np.unique(atoms, return_inverse=True)
    centres = _centres(points, atoms)
    groups = atoms
    if count < len(centres):
        joined = cut_tree(linkage(centres, "ward"), [count]).ravel()
        _, groups = np.unique(joined[atoms], return_inverse=True)
    centres = _centres(points, groups)
    if len(centres) < 3:
        return np.asarray(groups, np.int64)
    order = leaves_list(linkage(centres, "average", optimal_ordering=True))
    return np.asarray(np.argsort(order)[groups], np.int64)


def _centres(points: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each group's points, groups being numbered from 0 on."""
    sums = np.zeros((groups.max() + 1, points.shape[1]))
    np.add.at(sums, groups, points)
    return np.asarray(sums / np.bincount(groups)[:, None], np.float64)


def read_looks(image_set: ImageSet) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Measure all images, at one size whatever the network's is.

    Args:
        image_set: n images; their files are read again unless they are held at that size.

    Returns:
        What `measure_look` says of each (float64, shape (n, LOOK_SIZE)), and its `ScaleBar`
        (int64, shape (n,)).

    Raises:
        DatasetError: a file is gone or has changed since the set was read.
    """
    held = image_set.images.shape[1:3] == (LOOK_SIDE, LOOK_SIDE)

    def measure(index: int) -> tuple[NDArray[np.float64], ScaleBar]:
        if held:
            frame = image_set.images[index]
        else:
            frame = _read(image_set.folder / image_set.paths[index])
        return measure_look(frame), find_scale_bar(frame)

    with ThreadPoolExecutor() as pool:
        measured = list(pool.map(measure, range(len(image_set))))
    looks = np.array([look for look, _ in measured], np.float64).reshape(-1, LOOK_SIZE)
    return looks, np.array([bar for _, bar in measured], np.int64)


def _read(file: Path) -> NDArray[np.uint8]:
    """Decode a file that could be decoded before."""
    try:
        return decode_image(file.read_bytes(), str(file))
    except (OSError, ImageFileError) as error:
        raise DatasetError(
            "The images stay as they are while they are read",
            got=f"{file}: {error}",
            next_step="Give the command again",
        ) from error


def _scale(looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each measure a mean of 0 and a deviation of 1 over the set."""
    deviation = looks.std(axis=0)
    scaled = (looks - looks.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return np.asarray(scaled, np.float64)


def _bursts(
    looks: NDArray[np.float64], bars: NDArray[np.int64], paths: Sequence[str]
) -> NDArray[np.int64]:
    """Pair images that were numbered next to one another and look alike; shape (2, pairs)."""
    series: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for index, path in enumerate(paths):
        # The last number in the name; what stands before it names the series.
        match = re.match(r"(.*?)(\d+)\D*$", path)
        if match is not None:
            series[match[1], int(bars[index])].append((int(match[2]), index))
    pairs = []
    for members in series.values():
        members.sort()
        for step in range(1, NUMBER_REACH + 1):
            for (number, one), (later, other) in zip(members, members[step:], strict=False):
                difference = np.sqrt(((looks[one] - looks[other]) ** 2).mean())
                if later - number <= NUMBER_REACH and difference < ALIKE:
                    pairs.append((one, other))
    return np.array(pairs, np.int64).reshape(-1, 2).T
