"""White cells found by colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.image_file import read_image
from train.audit.white_cells import background_mask, white_cell_mask

GLASS = (244, 240, 248)
RED_CELL = (200, 190, 205)
NUCLEUS = (110, 60, 160)


def field(*white_cells: tuple[int, int, int]) -> np.ndarray:
    """Draw glass with red cells, and white cells at (x, y, radius)."""
    image = np.full((224, 224, 3), GLASS, np.uint8)
    for x in range(20, 224, 40):
        for y in range(20, 224, 40):
            cv2.circle(image, (x, y), 12, RED_CELL, -1)
    for x, y, radius in white_cells:
        cv2.circle(image, (x, y), radius, NUCLEUS, -1)
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_nuclei_are_marked_and_red_cells_are_not() -> None:
    truth = np.zeros((224, 224), np.uint8)
    cells = [(60, 60, 22), (160, 120, 30)]
    for x, y, radius in cells:
        cv2.circle(truth, (x, y), radius, 1, -1)
    mask = white_cell_mask(field(*cells))
    both = (mask & (truth > 0)).sum()
    assert both / (mask | (truth > 0)).sum() > 0.9


def test_field_without_white_cells_has_none() -> None:
    assert white_cell_mask(field()).mean() < 0.001
    assert white_cell_mask(np.full((50, 50, 3), 200, np.uint8)).sum() == 0


def test_background_keeps_clear_of_white_cells() -> None:
    truth = np.zeros((224, 224), np.uint8)
    cv2.circle(truth, (100, 100), 25, 1, -1)
    background = background_mask(field((100, 100, 25)))
    assert not background[truth > 0].any()
    assert background.mean() > 0.85


@pytest.mark.parametrize("label", ["Benign", "Early", "Pre", "Pro"])
def test_real_fields_are_some_white_cells_and_mostly_background(shared: Path, label: str) -> None:
    paths = sorted((shared / "data" / "all4" / "Original" / label).glob("*.jpg"))[::40]
    shares = [white_cell_mask(read_image(path)).mean() for path in paths]
    assert 0.03 < np.median(shares) < 0.3
    assert max(shares) < 0.5
