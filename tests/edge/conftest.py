"""Fixtures that several of the runtime's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.key_files import write_new_key


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A new private key without a passphrase."""
    path = tmp_path / "station.pem"
    write_new_key(path)
    return path
