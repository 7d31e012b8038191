"""One field under every alteration, as a picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from edge.output import whole_file
from train.robustness.catalogue import DEGRADATIONS
from train.robustness.degradation import SEVERITIES, degrade
from train.robustness.laboratory_shift import shift_laboratory
from train.robustness.scale_bar import blank_corner, swap_corner

_TILE = 132
_GAP = 6


def draw_examples(
    path: Path, images: NDArray[np.uint8], targets: NDArray[np.int64], seed: int
) -> None:
    """Draw a sheet as PNG: a row for each degradation, a column for each severity.

    Two more rows show five laboratories, and the corner as it was, blanked and swapped.

    Args:
        path: the PNG file.
        images: RGB, uint8, shape (n, height, width, 3); one is chosen at random.
        targets: each image's class; int64, shape (n,).
        seed: of the choice and of the alterations.

    Raises:
        OutputError: the picture cannot be written.
    """
    index = int(np.random.default_rng(seed).integers(len(images)))
    image = images[[index]]
    rows: list[tuple[str, list[tuple[str, NDArray[np.uint8]]]]] = [
        (
            f"{one.name}\n{one.parameter}",
            [
                (f"{one.values[severity - 1]:g}", degrade(image, one, severity, seed)[0])
                for severity in SEVERITIES
            ],
        )
        for one in DEGRADATIONS
    ]
    laboratories = shift_laboratory(np.repeat(image, len(SEVERITIES), axis=0), seed)
    rows.append(
        ("laboratory shift\nfive at random", [("", laboratory) for laboratory in laboratories])
    )
    corners = [("blanked", blank_corner(image)[0])]
    if len(np.unique(targets)) > 1:
        corners.append(("swapped", swap_corner(images, targets, seed)[index]))
    rows.append(("corner", corners))
    _draw(path, image[0], rows)


def _draw(
    path: Path,
    image: NDArray[np.uint8],
    rows: list[tuple[str, list[tuple[str, NDArray[np.uint8]]]]],
) -> None:
    step = _TILE + _GAP
    columns = 1 + len(SEVERITIES)
    sheet = np.full((len(rows) * step - _GAP, columns * step - _GAP, 3), 255, np.uint8)
    # One pixel of the sheet is one pixel of the picture.
    dpi, left, top = 100, 190, 30
    width, height = left + sheet.shape[1] + 8, top + sheet.shape[0] + 8
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi)
    axes = figure.add_axes(
        (left / width, 8 / height, sheet.shape[1] / width, sheet.shape[0] / height)
    )
    axes.axis("off")
    for row, (title, tiles) in enumerate(rows):
        axes.text(-10, row * step + _TILE / 2, title, ha="right", va="center", fontsize=8)
        for column, (value, tile) in enumerate([("", image), *tiles]):
            x, y = column * step, row * step
            sheet[y : y + _TILE, x : x + _TILE] = cv2.resize(
                tile, (_TILE, _TILE), interpolation=cv2.INTER_AREA
            )
            if value:
                axes.text(
                    x + 4,
                    y + 4,
                    value,
                    ha="left",
                    va="top",
                    fontsize=7,
                    bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.5},
                )
    for column, title in enumerate(["as it was", *(f"severity {one}" for one in SEVERITIES)]):
        axes.text(column * step + _TILE / 2, -8, title, ha="center", va="bottom", fontsize=8)
    axes.imshow(sheet, interpolation="nearest")
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=dpi)
