"""Which share of a class activation lies on white cells, as a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.evaluation.cell_mask import sure_cell_mask
from train.evaluation.intervals import DRAWS, bootstrap_intervals, cluster_numbers
from train.robustness.scale_bar import corner_size


def activation_energy(
    images: NDArray[np.uint8],
    maps: Iterable[NDArray[np.float32]],
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the mean share of the class activation on white cells and in the scale bar's corner.

    Wang et al., "Score-CAM", CVPR Workshops 2020, section 4.4 (the energy-based pointing game),
    with a mask in place of a box. A map spread evenly has the share that the mask has of the
    area, so `concentration` is their ratio: 1 says that the cells matter no more than the rest.

    Args:
        images: RGB, uint8, shape (n, height, width, 3).
        maps: one for each image, of values of 0 or more; float32, shape (height, width).
        groups: which images belong together, for the intervals; int64, shape (n,).
        seed: of the bootstrap.

    Returns:
        `n`, `n_without_activation` (images with nothing that speaks for the class; they are left
        out), `n_without_cells` (left out of the share on cells), and for each of `white_cells` and
        `corner` (bottom right, 48 x 34 of 224 x 224 pixels): `n, share, share_ci95, area,
        area_ci95, concentration, concentration_ci95`, None where there is no image.
    """
    n, (height, width) = len(images), images.shape[1:3]
    corner = np.zeros((height, width), np.bool_)
    high, wide = corner_size(height, width)
    corner[-high:, -wide:] = True
    total, on_cells, in_corner, cell_area = np.zeros((4, n))
    for index, (image, one) in enumerate(zip(images, maps, strict=True)):
        cells = sure_cell_mask(image)
        total[index] = one.sum(dtype=np.float64)
        on_cells[index] = one[cells].sum(dtype=np.float64)
        in_corner[index] = one[corner].sum(dtype=np.float64)
        cell_area[index] = cells.mean()
    active, has_cells = total > 0, cell_area > 0
    clusters = cluster_numbers(groups, n)
    corner_area = np.full(n, corner.mean())
    return {
        "n": n,
        "n_without_activation": int((~active).sum()),
        "n_without_cells": int((active & ~has_cells).sum()),
        "white_cells": _place(on_cells, total, cell_area, clusters, active & has_cells, seed),
        "corner": _place(in_corner, total, corner_area, clusters, active, seed),
        "intervals": f"bootstrap, {DRAWS} draws of "
        f"{'groups' if clusters.max() + 1 < n else 'images'}, seed {seed}",
    }


def _place(
    inside: NDArray[np.float64],
    total: NDArray[np.float64],
    area: NDArray[np.float64],
    clusters: NDArray[np.int64],
    used: NDArray[np.bool_],
    seed: int,
) -> dict[str, Any]:
    """Return one place's figures over the images used; all arrays have shape (n,)."""
    n = int(used.sum())
    if not n:
        nothing = ("share", "area", "concentration")
        return {"n": 0} | {key: None for name in nothing for key in (name, f"{name}_ci95")}
    share, covered = inside[used] / total[used], area[used]

    def figures(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        totals = weights.sum(axis=1)
        shares, areas = weights @ share / totals, weights @ covered / totals
        return {"share": shares, "area": areas, "concentration": shares / areas}

    whole = figures(np.ones((1, n)))
    intervals = bootstrap_intervals(figures, cluster_numbers(clusters[used], n), seed)
    place: dict[str, Any] = {"n": n}
    for name, (value,) in whole.items():
        limits = intervals[name]
        place |= {name: float(value), f"{name}_ci95": None if limits is None else list(limits)}
    return place
