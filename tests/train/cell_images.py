"""Single cells on black, drawn, in files named as those of C-NMC 2019."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

#: Subjects and how many source images each has; two cells are cut from every one.
SUBJECTS: Mapping[str, Sequence[str]] = {"all": ("1", "2", "3"), "hem": ("H1", "H2")}
SOURCES, CELLS, SIDE = 5, 2, 90


def draw_cell(label: str, seed: int) -> np.ndarray:
    """Draw a cell: RGB, uint8, shape (SIDE, SIDE, 3). Malignant ones are larger."""
    generator = np.random.default_rng(seed)
    mask = np.zeros((SIDE, SIDE, 1), np.uint8)
    low, high = (24, 32) if label == "all" else (15, 23)
    middle, axes = generator.integers(38, 52, 2), generator.integers(low, high, 2)
    angle = int(generator.integers(0, 180))
    cv2.ellipse(mask, middle.tolist(), axes.tolist(), angle, 0, 360, 1, -1)
    # Blobs as dark and as bright as can be, so that no two cells are near copies of one another.
    blobs = generator.choice(np.array([20, 250], np.uint8), (14, 14, 3))
    return np.asarray(cv2.resize(blobs, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) * mask)


def write_cells(
    folder: Path, subjects: Mapping[str, Sequence[str]] = SUBJECTS, suffix: str = ".bmp"
) -> Path:
    """Write `all` and `hem` into a folder, and return it."""
    seed = 0
    for label, names in subjects.items():
        (folder / label).mkdir(parents=True)
        for subject in names:
            for source in range(1, SOURCES + 1):
                for cell in range(1, CELLS + 1):
                    seed += 1
                    name = f"UID_{subject}_{source}_{cell}_{label}{suffix}"
                    pixels = draw_cell(label, seed)[:, :, ::-1]
                    cv2.imwrite(str(folder / label / name), pixels)
    return folder
