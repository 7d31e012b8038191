"""Where a stained field has nuclei, and how much nuclear stain each pixel holds."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.shapes import disc, otsu

#: How far above the rest of the field a nucleus's purple is at least, in steps of 2 a* - b* on
#: OpenCV's 8-bit scales. The rims of red cells come up to 40.
_LEAST_PURPLE: Final = 38.0

#: The same as a share of what the purplest pixels reach.
_LEAST_SHARE: Final = 0.33
_PURPLEST_PERCENTILE: Final = 99.5

#: Keeps 2 a* - b* above 0 when it is stored in bytes.
_OFFSET: Final = 100

#: Least share of red-cell pixels that gives their colour.
_FEWEST_RED: Final = 0.01

#: How far around a nucleus pixels count as its white cell's, in red-cell diameters.
_NUCLEUS_SURROUND: Final = 0.25


def nuclei(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark what is as purple as a nucleus, platelets and specks of dye included.

    Purple is red and blue at once: 2 a* - b* in CIE LAB. Glass and red cells differ by little in
    it whether a stain leaves red cells pink or blue. The threshold is Otsu's, and no lower than
    what the rims of red cells reach: a field without white cells has next to nothing marked.

    Args:
        image: RGB, uint8, shape (height, width, 3).

    Returns:
        1 on nuclei and 0 elsewhere; shape (height, width).
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int16)
    purple = 2 * (lab[..., 1] - 128) - (lab[..., 2] - 128) + _OFFSET
    purple = cv2.GaussianBlur(np.clip(purple, 0, 255).astype(np.uint8), (3, 3), 0)
    counts = np.bincount(purple.ravel(), minlength=256)
    threshold = otsu(purple)
    below = counts[: int(threshold) + 1]
    # Otsu's threshold lies below everything where all pixels are the same.
    rest = _percentile(below if below.any() else counts, 50.0)
    most = _percentile(counts, _PURPLEST_PERCENTILE)
    threshold = max(threshold, rest + _LEAST_PURPLE, rest + _LEAST_SHARE * (most - rest))
    return np.asarray(purple > threshold, np.uint8)


def nuclear_stain(
    image: NDArray[np.uint8], nucleus: NDArray[np.uint8], diameter: float
) -> NDArray[np.float32]:
    """Return how much nuclear stain each pixel holds; the field's median nucleus holds 1.

    Ruifrok and Johnston, "Quantification of histochemical staining by color deconvolution",
    Analytical and Quantitative Cytology and Histology 23 (2001): optical densities are sums of
    the stains' own. The two colours are not fixed but the field's: the median of its nuclei and
    the median of its red cells, against the median of its glass. So glass and red cells come out
    near 0 whatever the stain and the camera, and pale cytoplasm above them.

    Args:
        image: RGB, uint8, shape (height, width, 3).
        nucleus: as `nuclei` returns it, with at least one pixel marked.
        diameter: of a red cell in pixels.

    Returns:
        float32, shape (height, width); about 0 on glass and red cells.
    """
    green = image[..., 1]
    is_glass = green > otsu(np.ascontiguousarray(green))
    light = np.median(image[is_glass], axis=0) if is_glass.any() else np.full(3, 255.0)
    # Beer and Lambert: the optical density is the logarithm of the light's loss.
    table = np.log((light + 1.0) / (np.arange(256.0)[:, None] + 1.0)).astype(np.float32)
    density = np.stack([cv2.LUT(image[..., c], table[:, c]) for c in range(3)], axis=-1)
    is_red = ~is_glass & (cv2.dilate(nucleus, disc(_NUCLEUS_SURROUND * diameter)) == 0)
    colours = [np.median(density[nucleus > 0], axis=0)]
    if np.count_nonzero(is_red) > _FEWEST_RED * is_red.size:
        colours.append(np.median(density[is_red], axis=0))
    weights = np.linalg.pinv(np.stack(colours, axis=1))[0].astype(np.float32)
    return np.asarray(cv2.GaussianBlur(density @ weights, (3, 3), 0), np.float32)


def _percentile(counts: NDArray[np.int64], percentile: float) -> float:
    """Return a percentile of bytes from how often each value occurs."""
    running = np.cumsum(counts)
    return float(np.searchsorted(running, running[-1] * percentile / 100.0))
