"""Touching cells apart."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.shapes import disc, opened, without_holes

#: A part is a cell of its own if the neck to the others is at most this share of its width.
_WIDEST_NECK: Final = 0.9

#: And if its middle is deeper than the neck by this many red-cell diameters.
_LEAST_DEPTH: Final = 0.05

#: Steps by which the mask is shrunk, in red-cell diameters and at least in pixels.
_STEP: Final = 0.04
_LEAST_STEP: Final = 0.5

#: From this share of its convex hull on, a mask is one cell.
_SOLID: Final = 0.95

#: A mask larger than this many red-cell areas is a clump if it is not so solid as a single cell,
#: and one larger than the second number is a clump however solid.
_LARGE: Final = 3.0
_LARGE_SOLID: Final = 0.93
_LARGEST: Final = 8.0

#: In a clump, a nucleus is what has this share of the most stain within the reach, which is in
#: red-cell diameters.
_NUCLEUS_SHARE: Final = 0.7
_NUCLEUS_REACH: Final = 0.4

#: Least share of a clump that nuclei take up: those of blasts fill the cells, while the two lobes
#: of a spread eosinophil do not.
_FEWEST_NUCLEI: Final = 0.5

#: Largest hole in it in squared red-cell diameters, and the radius of the disc that fits into it.
_HOLE: Final = 0.1
_CORE_RADIUS: Final = 0.12

#: Least area of such a nucleus in red-cell areas: a lobe of a segmented one is smaller.
_LEAST_NUCLEUS: Final = 0.4


def separate(
    mask: NDArray[np.uint8], stain: NDArray[np.float32], diameter: float
) -> list[NDArray[np.uint8]]:
    """Part a connected mask at its necks, and a clump without necks by its nuclei.

    As a watershed on the distance to the outline (Beucher and Lantuejoul, 1979; Vincent and
    Soille, "Watersheds in Digital Spaces", IEEE Trans. PAMI 13, 1991): the mask is shrunk level by
    level, and where it falls into parts that are large enough, each becomes a marker. Pixels go to
    the nearest marker.

    Args:
        mask: 1 on one connected region, 0 elsewhere; shape (height, width).
        stain: as `edge.cells.stain.nuclear_stain` returns it, for the same pixels.
        diameter: of a red cell in the mask's pixels.

    Returns:
        One mask of the same shape for each cell; they do not overlap and cover the region.
    """
    if _solidity(mask) >= _SOLID:
        return [mask]
    depth = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, 5), np.float32)
    parts = _divide(mask, _markers(depth, diameter))
    return [
        cell
        for part in parts
        for cell in (
            _divide(part, _nuclei(part, stain, diameter)) if _is_clump(part, diameter) else [part]
        )
    ]


def _is_clump(mask: NDArray[np.uint8], diameter: float) -> bool:
    area = float(np.count_nonzero(mask)) / (math.pi / 4 * diameter**2)
    return area > _LARGEST or (area > _LARGE and _solidity(mask) < _LARGE_SOLID)


def _nuclei(
    mask: NDArray[np.uint8], stain: NDArray[np.float32], diameter: float
) -> NDArray[np.int32]:
    """Number the nuclei of a clump from 1 on, by a threshold that adapts to their surround."""
    inside = np.asarray(stain * mask, np.float32)
    most = cv2.dilate(inside, disc(_NUCLEUS_REACH * diameter))
    cores = ((inside > _NUCLEUS_SHARE * most) & (mask > 0)).astype(np.uint8)
    cores = opened(without_holes(cores, _HOLE * diameter**2), _CORE_RADIUS * diameter)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cores, connectivity=8)
    least = _LEAST_NUCLEUS * math.pi / 4 * diameter**2
    is_nucleus = stats[:, cv2.CC_STAT_AREA] >= least
    is_nucleus[0] = False
    if np.sum(stats[is_nucleus, cv2.CC_STAT_AREA]) < _FEWEST_NUCLEI * np.count_nonzero(mask):
        return np.zeros_like(labels)
    renamed = np.where(is_nucleus, np.cumsum(is_nucleus), 0).astype(np.int32)
    return np.asarray(renamed[labels], np.int32)


def _divide(mask: NDArray[np.uint8], markers: NDArray[np.int32]) -> list[NDArray[np.uint8]]:
    """Give each pixel of a mask to the nearest marker."""
    count = int(markers.max())
    if count < 2:
        return [mask]
    _, nearest = cv2.distanceTransformWithLabels(
        (markers == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    names = np.zeros(int(nearest.max()) + 1, np.int32)
    names[nearest[markers > 0]] = markers[markers > 0]
    owner = names[nearest]
    parts = [((owner == name) & (mask > 0)).astype(np.uint8) for name in range(1, count + 1)]
    return [part for part in parts if part.any()]


def _solidity(mask: NDArray[np.uint8]) -> float:
    """Return a mask's share of its convex hull, from its longest outline."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    hull = cv2.contourArea(cv2.convexHull(outline))
    return cv2.contourArea(outline) / hull if hull > 0.0 else 1.0


def _markers(depth: NDArray[np.float32], diameter: float) -> NDArray[np.int32]:
    """Number the inner parts of cells from 1 on; 0 elsewhere."""
    markers = (depth > 0).astype(np.int32)
    free = 2
    step = max(_LEAST_STEP, _STEP * diameter)
    for level in np.arange(step, float(depth.max()), step):
        count, parts = cv2.connectedComponents((depth > level).astype(np.uint8), connectivity=8)
        if count < 3:
            continue
        families: dict[int, list[NDArray[np.bool_]]] = {}
        for part in (parts == number for number in range(1, count)):
            peak = float(depth[part].max())
            if level <= _WIDEST_NECK * peak and peak - level >= _LEAST_DEPTH * diameter:
                families.setdefault(int(markers[part][0]), []).append(part)
        for parent, children in families.items():
            if parent == 0 or len(children) < 2:
                continue
            markers[markers == parent] = 0
            for child in children:
                markers[child] = free
                free += 1
    numbers = np.unique(markers[markers > 0])
    renamed = np.zeros(free, np.int32)
    renamed[numbers] = np.arange(1, len(numbers) + 1)
    return np.asarray(renamed[markers], np.int32)
