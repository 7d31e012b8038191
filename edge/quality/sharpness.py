"""Focus and motion blur, from how steep the field's own edges are."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.quality.reduced import CORNER, REDUCED_SIDE

#: Share of the field, where the coarse gradient is steepest, that counts as edges.
_EDGES = 0.1

#: Side of the median filter in pixels, which takes out the camera's noise and leaves edges.
_MEDIAN_SIDE = 3

#: Gradients are not defined in the outermost row and column.
_INNER = REDUCED_SIDE - 2

#: Where, among the inner pixels, the corner with the scale bar begins.
_CORNER = CORNER - 1

_EDGE_RANK = round((1.0 - _EDGES) * (_INNER**2 - (_INNER - _CORNER) ** 2)) + (_INNER - _CORNER) ** 2


def measure_sharpness(pixels: NDArray[np.uint8]) -> tuple[float, float]:
    """Compare the gradients of edges at half and at a quarter of the resolution.

    Blur takes fine gradients away before coarse ones, so the ratio of the two at the same edge
    tells how wide the edge is, however dark the cell, and however many cells there are (Zhuo and
    Sim, "Defocus map estimation from a single image", Pattern Recognition 44, 2011, with a second
    blur in place of the coarse level). Measures that add up the whole field's fine detail, such as
    the variance of its Laplacian (Pertuz et al., "Analysis of focus measure operators for
    shape-from-focus", Pattern Recognition 46, 2013), take noise for focus and glass for blur.

    The squared gradients are kept as structure tensors (Bigün and Granlund, "Optimal orientation
    detection of linear symmetry", ICCV 1987): their ratio along the worst and along the best
    direction are the generalized eigenvalues, which do not depend on where the edges happen to
    point. Defocus lowers both, motion the one along its way.

    Args:
        pixels: RGB, uint8, shape (4 * REDUCED_SIDE, 4 * REDUCED_SIDE, 3).

    Returns:
        Sharpness over all directions, from 0; and that of the worst direction over that of the
        best, 0..1. A field without edges has 0 and 1.
    """
    green = cv2.medianBlur(cv2.extractChannel(pixels, 1), _MEDIAN_SIDE)
    side = 2 * REDUCED_SIDE
    half = cv2.resize(green, (side, side), interpolation=cv2.INTER_AREA)
    quarter = np.asarray(
        cv2.resize(half, (REDUCED_SIDE, REDUCED_SIDE), interpolation=cv2.INTER_AREA), np.int32
    )
    across = quarter[1:-1, 2:] - quarter[1:-1, :-2]
    down = quarter[2:, 1:-1] - quarter[:-2, 1:-1]
    steepness = across * across + down * down
    steepness[_CORNER:, _CORNER:] = -1
    flat = steepness.ravel()
    edges = np.flatnonzero(flat >= max(int(np.partition(flat, _EDGE_RANK)[_EDGE_RANK]), 1))
    coarse = _tensor(across.take(edges), down.take(edges))
    fine = _tensor(*_steepest_of_four(np.asarray(half, np.int32), edges))
    return _compare(fine, coarse)


def _steepest_of_four(
    half: NDArray[np.int32], edges: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the steepest gradient of the four fine pixels in each coarse one.

    Args:
        half: green at half the resolution; int32, shape (2 * REDUCED_SIDE, 2 * REDUCED_SIDE).
        edges: places among the coarse inner pixels, row by row; shape (n,).

    Returns:
        Gradients across and down; int32, shape (n,).
    """
    side = half.shape[1]
    flat = half.ravel()
    first = 2 * side * (edges // _INNER + 1) + 2 * (edges % _INNER + 1)
    places = first + np.array([[0], [1], [side], [side + 1]])
    across = flat.take(places + 1) - flat.take(places - 1)
    down = flat.take(places + side) - flat.take(places - side)
    steepest = (across * across + down * down).argmax(axis=0) * len(edges) + np.arange(len(edges))
    return across.take(steepest), down.take(steepest)


def _tensor(across: NDArray[np.int32], down: NDArray[np.int32]) -> tuple[int, int, int]:
    """Return the structure tensor's three numbers: across squared, mixed, down squared."""
    return int(across @ across), int(across @ down), int(down @ down)


def _compare(fine: tuple[int, int, int], coarse: tuple[int, int, int]) -> tuple[float, float]:
    """Return the ratio of the traces, and the lower generalized eigenvalue over the higher."""
    energy = coarse[0] + coarse[2]
    if energy == 0:
        return 0.0, 1.0
    sharpness = (fine[0] + fine[2]) / energy
    determinant = coarse[0] * coarse[2] - coarse[1] ** 2
    middle = fine[0] * coarse[2] + fine[2] * coarse[0] - 2 * fine[1] * coarse[1]
    product = fine[0] * fine[2] - fine[1] ** 2
    if determinant == 0 or middle <= 0:
        # All edges point the same way: nothing can be said about the other.
        return sharpness, 1.0
    root = math.sqrt(max(middle**2 - 4 * determinant * product, 0))
    return sharpness, max(middle - root, 0.0) / (middle + root)
