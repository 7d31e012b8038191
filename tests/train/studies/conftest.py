"""Finished runs for studies to find, without training each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from train.splits.kinds import SplitKind, fold_of_seed

Plant = Callable[..., None]


@pytest.fixture(scope="session")
def measured_run(
    finished_run: Path, smears: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of `finished_run`, a custom CNN after two epochs, measured on both parts."""
    from train.image_set import read_image_set
    from train.run_folder import RunFolder
    from train.studies.measurement import measure_run

    folder = tmp_path_factory.mktemp("measured") / "run"
    shutil.copytree(finished_run, folder)
    for part in ("validation", "test"):
        measure_run(RunFolder(folder), read_image_set(smears, 224, 224), part)
    return folder


@pytest.fixture
def plant(measured_run: Path) -> Plant:
    """Put the measured run into a study's folder, as if it had been trained there as planned."""

    def put(runs: Path, row: str, split: SplitKind, seed: int, **options: Any) -> None:
        folder = runs / row / f"{split}-{seed}"
        shutil.copytree(measured_run, folder)
        config = json.loads((folder / "config.json").read_text())
        fold = fold_of_seed(split, seed)
        config |= {"split": split, "seed": seed, "fold": fold and str(fold), **options}
        (folder / "config.json").write_text(json.dumps(config))
        for part in ("validation", "test"):
            file = folder / f"measurement-{part}.json"
            measurement = json.loads(file.read_text())
            measurement["rests_on"]["seed"] = seed
            file.write_text(json.dumps(measurement))

    return put
