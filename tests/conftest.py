"""Fixtures that every house's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images and weights; tests that need it skip loudly where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("BLASTSCOPE_SHARED", default))
    if not (folder / "data" / "all4").is_dir():
        pytest.skip(f"REAL IMAGES ABSENT: no all4 set under {folder}; set BLASTSCOPE_SHARED")
    return folder
