"""The grid of backbones, divisions and selectors, computed cell by cell and kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.output import make_folder, write_json
from train.deep_features.classifiers import CLASSIFIERS
from train.deep_features.extraction import Features
from train.deep_features.nested import Division, nested_scores
from train.image_set import ImageSet
from train.splits.kinds import SplitKind
from train.splits.split import Split
from train.studies.workers import Workers, workers

#: A change in any of these computes every cell anew.
_CODE = (
    "train.deep_features.classifiers",
    "train.deep_features.inner_folds",
    "train.deep_features.nested",
    "train.deep_features.pipelines",
    "train.deep_features.selection",
)

#: Called with (cells done, cells in all) as a grid goes on.
CellProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Cell:
    """One selector on one backbone's features in one division.

    Attributes:
        backbone: its name.
        split: kind of the division.
        seed: of the division, or of the fold, as `train.splits.kinds.fold_of_seed` says.
        selector: a name out of `train.deep_features.selection.SELECTORS`.
    """

    backbone: str
    split: SplitKind
    seed: int
    selector: str

    def file(self, folder: Path) -> Path:
        """Return where its results lie below the folder of a study's cells."""
        return folder / self.backbone / f"{self.split}-{self.seed}" / f"{self.selector}.json"


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """What a study computes.

    Attributes:
        image_set: n images.
        features: of these images, by the backbone's name.
        splits: by kind and seed.
        selectors: names out of `train.deep_features.selection.SELECTORS`.
        classifiers: names out of `train.deep_features.classifiers.CLASSIFIERS`.
        counts: how many features to choose from.
    """

    image_set: ImageSet
    features: Mapping[str, Features]
    splits: Mapping[tuple[SplitKind, int], Split]
    selectors: tuple[str, ...]
    classifiers: tuple[str, ...]
    counts: tuple[int, ...]

    def cells(self) -> list[Cell]:
        """Return all cells; those of the first seed come first."""
        return [
            Cell(backbone, split, seed, selector)
            for split, seed in self.splits
            for backbone in self.features
            for selector in self.selectors
        ]

    def division(self, cell: Cell) -> Division:
        """Return the division of a cell; validation parts are fitted on, as training parts are."""
        split = self.splits[cell.split, cell.seed]
        return Division(
            cell.split,
            cell.seed,
            np.array(split.groups, np.int64),
            np.flatnonzero([part != "test" for part in split.parts]),
            split.indices("test"),
        )

    def rests_on(self, cell: Cell) -> dict[str, Any]:
        """Return the versions of all that a cell's results follow from."""
        features = self.features[cell.backbone]
        return {
            "data_sha256": self.image_set.digest(),
            "split_sha256": self.splits[cell.split, cell.seed].digest(),
            "features": features.key,
            "columns_sha256": hashlib.sha256(features.columns.tobytes()).hexdigest(),
            "counts": list(self.counts),
            "scikit_learn": version("scikit-learn"),
            "code_sha256": _code_digest(),
        }


def compute_grid(
    grid: Grid,
    folder: Path,
    *,
    jobs: int,
    ray_address: str | None = None,
    progress: CellProgress | None = None,
) -> dict[Cell, dict[str, Any]]:
    """Compute the cells that are not there yet, and return all of them.

    Each is written as it comes, so that a study that was stopped goes on from there.

    Args:
        grid: what to compute.
        folder: where the cells lie.
        jobs: processes on this machine.
        ray_address: of a Ray cluster; see `train.studies.workers.workers`.
        progress: called as the grid goes on.

    Returns:
        For each cell and classifier what `train.deep_features.nested.nested_scores` returns.

    Raises:
        TrainingError: a selector keeps nothing, or the Ray cluster does not answer.
        MissingPackageError: Ray is not installed.
        OutputError: a cell cannot be written.
    """
    cells = grid.cells()
    found = {cell: _read(cell, grid, folder) for cell in cells}
    waiting = [(cell, missing) for cell in cells if (missing := _missing(found[cell], grid))]
    done = len(cells) - len(waiting)
    if progress is not None:
        progress(done, len(cells))
    if waiting:
        with workers(jobs, ray_address) as shared:
            for cell, scores in _compute(shared, grid, waiting):
                found[cell] |= scores
                path = cell.file(folder)
                make_folder(path.parent)
                write_json(path, {"rests_on": grid.rests_on(cell), "classifiers": found[cell]})
                done += 1
                if progress is not None:
                    progress(done, len(cells))
    return {
        cell: {name: classifiers[name] for name in grid.classifiers}
        for cell, classifiers in found.items()
    }


def _compute(
    shared: Workers, grid: Grid, waiting: Sequence[tuple[Cell, tuple[str, ...]]]
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    return shared.run(
        _cell_scores,
        [
            (
                cell,
                grid.features[cell.backbone].values,
                grid.image_set.targets,
                grid.division(cell),
                missing,
                grid.counts,
            )
            for cell, missing in waiting
        ],
    )


def _cell_scores(
    cell: Cell,
    values: NDArray[np.float32],
    targets: NDArray[np.int64],
    division: Division,
    classifiers: Sequence[str],
    counts: Sequence[int],
) -> tuple[Cell, dict[str, Any]]:
    """Compute one cell; this is what runs in other processes.

    Ray hands over arrays that cannot be written to, which scikit-learn does not take everywhere.
    """
    own = Division(
        division.kind,
        division.seed,
        division.groups.copy(),
        division.fitted_on.copy(),
        division.tested_on.copy(),
    )
    found = nested_scores(values.copy(), targets.copy(), own, cell.selector, classifiers, counts)
    return cell, found


def _missing(found: Mapping[str, Any], grid: Grid) -> tuple[str, ...]:
    return tuple(name for name in grid.classifiers if name not in found)


def _read(cell: Cell, grid: Grid, folder: Path) -> dict[str, Any]:
    """Return what is there of a cell and rests on the same versions; else nothing."""
    try:
        held = json.loads(cell.file(folder).read_text(encoding="utf-8"))
        if held["rests_on"] != grid.rests_on(cell):
            return {}
        return {name: held["classifiers"][name] for name in held["classifiers"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _code_digest() -> str:
    digest = hashlib.sha256(repr(sorted(CLASSIFIERS)).encode())
    for name in _CODE:
        digest.update(Path(str(import_module(name).__file__)).read_bytes())
    return digest.hexdigest()
