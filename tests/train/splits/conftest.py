"""Image sets with something planted in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.smear import FieldOptions, render_field
from train.image_set import ImageSet, read_image_set

#: Subjects as C-NMC writes them, and the images of each; one mirror writes h for H.
SUBJECTS = {
    "all": {"11": 6, "12": 6, "13": 6, "14": 6, "20": 6},
    "hem": {"H1": 4, "h1": 4, "H2": 6, "H3": 6, "H4": 6},
}

Read = Callable[[Path], ImageSet]


@pytest.fixture(scope="session")
def read() -> Read:
    return lambda folder: read_image_set(folder, 32, 32)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Images named as those of C-NMC are, of nine subjects."""
    folder = tmp_path / "cells"
    seed = 0
    for label, subjects in SUBJECTS.items():
        (folder / label).mkdir(parents=True)
        for subject, count in subjects.items():
            for cell in range(count):
                seed += 1
                pixels = render_field("Pre", seed, width=64, height=64)
                image = 2 if subject == "h1" else 1
                name = f"UID_{subject}_{image}_{cell}_{label}.png"
                cv2.imwrite(str(folder / label / name), pixels[:, :, ::-1])
    return folder


@pytest.fixture(scope="session")
def stains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of six stains each, three of which they share; eight images of each stain."""
    folder = tmp_path_factory.mktemp("stains")
    tints = np.random.default_rng(5).permutation(
        [(r, g, b) for r in (0.5, 0.75, 1.0) for g in (0.5, 1.0) for b in (0.5, 1.0)]
    )
    chosen = {"Benign": tints[:6], "Pro": tints[3:9]}
    seed = 0
    for label, own in chosen.items():
        (folder / label).mkdir()
        for stain, tint in enumerate(own):
            for number in range(8):
                seed += 1
                options = FieldOptions(0.0, defocus_um=0.2, scale_bar=False)
                pixels = render_field(label, seed, width=96, height=96, options=options)
                tinted = np.clip(pixels * tint, 0, 255).astype(np.uint8)
                name = f"{label}-{100 * stain + number:03d}.png"
                cv2.imwrite(str(folder / label / name), tinted[:, :, ::-1])
    return folder
