"""Features of ImageNet networks, selected and classified: the grid, its winner and its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from edge import __version__
from edge.errors import InterruptedTrainingError
from train.deep_features.backbones import BACKBONES, build_backbone
from train.deep_features.extraction import Features, extract_features, without_constants
from train.deep_features.image_subset import limit_classes
from train.deep_features.pipelines import Settings, build_pipeline
from train.deep_features.weights import Weights, find_weights
from train.image_decoding import Progress
from train.image_set import ImageSet
from train.splits.division import FOLDS_SEED, divide, find_groups, k_folds
from train.splits.kinds import USUAL_FOLDS, SplitKind, fold_of_seed
from train.splits.leakage import check_leakage
from train.splits.split import DEFAULT_TEST_FRACTION, Split
from train.studies.deep_cells import Cell, CellProgress, Grid, compute_grid
from train.studies.deep_report import deep_report
from train.studies.engine import Tell
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets

#: How many features are chosen from, unless asked otherwise.
COUNTS = (32, 128, 512)

#: Height and width at which images are divided, whatever a backbone's input is.
_DIVIDED_AT = 224

_STUDY = "study deep-features"


@dataclass(frozen=True, slots=True)
class DeepOptions:
    """What a study is asked for.

    Attributes:
        backbones: names out of `train.deep_features.backbones.BACKBONES`.
        selectors: names out of `train.deep_features.selection.SELECTORS`.
        classifiers: names out of `train.deep_features.classifiers.CLASSIFIERS`.
        counts: how many features to choose from.
        seeds: of the divisions; under other splits than "random" each tests the next fold.
        splits: kinds of division.
        weights: "imagenet" or "none", for backbones that have no file.
        weights_folder: of weights files; None for none.
        limit: most images of a class; None for all.
        drop_constant: leave features out that are the same for all images.
        jobs: processes on this machine.
        ray_address: of a Ray cluster; None for none.
    """

    backbones: tuple[str, ...]
    selectors: tuple[str, ...]
    classifiers: tuple[str, ...]
    counts: tuple[int, ...]
    seeds: tuple[int, ...]
    splits: tuple[SplitKind, ...]
    weights: str
    weights_folder: Path | None
    limit: int | None
    drop_constant: bool
    jobs: int
    ray_address: str | None


@dataclass(frozen=True, slots=True, eq=False)
class DeepStudy:
    """What a study came to.

    Attributes:
        report: all figures, as JSON types; see `train.studies.deep_report.deep_report`.
        winner: the best pipeline, fitted on what the first division does not test.
        network: its backbone.
        split: that division; validation images are in its training part.
        description: of `train.deep_features.pipeline_folder.PipelineDescription`.
    """

    report: dict[str, Any]
    winner: Pipeline
    network: Any
    split: Split
    description: dict[str, Any]


def study_deep_features(
    data: Path,
    out: Path,
    options: DeepOptions,
    *,
    given: Mapping[str, str | None],
    tell: Tell = lambda line: None,
    read_progress: Progress | None = None,
    extract_progress: Callable[[str], Progress | None] = lambda name: None,
    cell_progress: CellProgress | None = None,
) -> DeepStudy:
    """Extract features, compute the grid and fit its winner.

    Args:
        data: holds `<class>/` or `Original/<class>/` with images.
        out: the study's folder; cells that it holds are taken as they are.
        options: what is asked for.
        given: the command's options, to be printed with the tables.
        tell: gets a line before each step.
        read_progress: called with (images read, images in all).
        extract_progress: takes a backbone's name, returns what is called with (images done,
            images in all).
        cell_progress: called with (cells done, cells in all).

    Raises:
        DatasetError: the images cannot be used, or a feature is the same for all of them.
        TrainingError: an option does not fit, weights are another backbone's, a selector keeps
            nothing, or the Ray cluster does not answer.
        InterruptedTrainingError: Ctrl-C came; the same call goes on.
        OutputError: `out` holds something else, or cannot be written.
    """
    weights = {
        name: find_weights(BACKBONES[name].files, name, options.weights, options.weights_folder)
        for name in options.backbones
    }
    image_sets = ImageSets(data, read_progress)
    folder = StudyFolder(out)
    image_set = limit_classes(image_sets.at(_DIVIDED_AT), options.limit)
    folder.open(_STUDY, image_set)
    try:
        features = _extract(image_sets, image_set, weights, options, tell, extract_progress)
        tell("dividing the images")
        grid = Grid(
            image_set,
            features,
            divide_for(image_set, options.splits, options.seeds),
            options.selectors,
            options.classifiers,
            options.counts,
        )
        tell(f"computing {len(grid.cells())} cells of {len(options.classifiers)} classifiers each")
        cells = compute_grid(
            grid,
            out / "cells",
            jobs=options.jobs,
            ray_address=options.ray_address,
            progress=cell_progress,
        )
    except KeyboardInterrupt as interruption:
        raise InterruptedTrainingError(
            "A study is complete once all of its cells are computed",
            got="an interruption",
            next_step=f"Give the same command again: it goes on from what {out} holds",
        ) from interruption
    report = deep_report(data, grid, cells, weights, given, options.limit)
    return _fit_winner(grid, cells, weights, report)


def divide_for(
    image_set: ImageSet, kinds: Iterable[SplitKind], seeds: Sequence[int]
) -> dict[tuple[SplitKind, int], Split]:
    """Divide an image set as trainings do, with each seed under each kind of division.

    Args:
        image_set: n images.
        kinds: of division.
        seeds: of each.

    Raises:
        SplitError: the set cannot be divided so.
    """
    groupings = {kind: find_groups(image_set, kind) for kind in kinds}
    folds = {
        kind: k_folds(image_set, grouping, USUAL_FOLDS, FOLDS_SEED)
        for kind, grouping in groupings.items()
        if fold_of_seed(kind, 0) is not None
    }
    splits: dict[tuple[SplitKind, int], Split] = {}
    for seed in seeds:
        for kind, grouping in groupings.items():
            fold = fold_of_seed(kind, seed)
            if fold is None:
                split = divide(image_set, grouping, DEFAULT_TEST_FRACTION, seed)
            else:
                split = folds[kind][fold.number - 1]
            check_leakage(split, image_set, grouping)
            splits[kind, seed] = split
    return splits


def _extract(
    image_sets: ImageSets,
    image_set: ImageSet,
    weights: Mapping[str, Weights],
    options: DeepOptions,
    tell: Tell,
    progress: Callable[[str], Progress | None],
) -> dict[str, Features]:
    found = {}
    for name in options.backbones:
        backbone = BACKBONES[name]
        sized = image_set
        if backbone.side != _DIVIDED_AT:
            sized = limit_classes(image_sets.at(backbone.side), options.limit)
        features = extract_features(sized, backbone, weights[name], progress(name))
        kept = without_constants(features, drop=options.drop_constant)
        left_out = features.values.shape[1] - kept.values.shape[1]
        tell(
            f"{features.name}: {kept.values.shape[1]:,} features of {len(image_set):,} images"
            + (f", {left_out} constant ones left out" if left_out else "")
        )
        found[name] = kept
    return found


def _fit_winner(
    grid: Grid,
    cells: Mapping[Cell, Mapping[str, Any]],
    weights: Mapping[str, Weights],
    report: dict[str, Any],
) -> DeepStudy:
    """Fit the pipeline that inner folds think best, as the first division has it."""
    best = report["winner"]
    kind, seed = next(iter(grid.splits))
    cell = Cell(best["backbone"], kind, seed, best["selector"])
    chosen = cells[cell][best["classifier"]]
    settings = Settings(
        best["selector"], best["classifier"], chosen["count"], chosen["value"], seed
    )
    features, division = grid.features[cell.backbone], grid.division(cell)
    fitted_on = division.fitted_on
    pipeline = build_pipeline(settings)
    pipeline.fit(features.values[fitted_on], grid.image_set.targets[fitted_on])
    split = grid.splits[kind, seed]
    merged = replace(
        split, parts=tuple("test" if part == "test" else "train" for part in split.parts)
    )
    description = {
        "backbone": cell.backbone,
        "weights": features.source,
        "columns": features.columns.tolist(),
        "selector": best["selector"],
        "classifier": best["classifier"],
        "kept": chosen["kept"],
        "value": chosen["value"],
        "labels": list(grid.image_set.labels),
        "data_digest": grid.image_set.digest(),
        "seed": seed,
        "blastscope": __version__,
        "scikit_learn": version("scikit-learn"),
    }
    network = build_backbone(BACKBONES[cell.backbone], weights[cell.backbone])
    return DeepStudy(report, pipeline, network, merged, description)
