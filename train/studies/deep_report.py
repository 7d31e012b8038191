"""What a study of deep features found, as JSON has it."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge import __version__
from train.deep_features.weights import RANDOM, Weights
from train.evaluation.seeds import summarize_values
from train.splits.kinds import SplitKind
from train.splits.split import DEFAULT_TEST_FRACTION
from train.studies.deep_cells import Cell, Grid
from train.studies.report import OVER_SEEDS

#: The figures of a row, and whether they are shares.
FIGURES = {
    "accuracy": True,
    "macro_f1": True,
    "inner_accuracy": True,
    "kept": False,
    "fit_seconds": False,
}

_Cells = Mapping[Cell, Mapping[str, Any]]


def deep_report(
    data: Path,
    grid: Grid,
    cells: _Cells,
    weights: Mapping[str, Weights],
    given: Mapping[str, str | None],
    limit: int | None,
) -> dict[str, Any]:
    """Return all figures of a study.

    Args:
        data: the folder of images.
        grid: what was computed.
        cells: its results.
        weights: of each backbone.
        given: the command's options, by option; without places; an empty text for a flag.
        limit: most images of a class; None for all.

    Returns:
        `study, command, blastscope, trained_with, data {name, sha256, n, classes, limit}, part,
        test_fraction, seeds, intervals, counts, backbones` (for each `name, source, random,
        features, constant`), `rows`, `chosen` and `winner`. A row has `backbone, selector,
        classifier, split, seeds, n, figures` (over the seeds, see `FIGURES`), `curve` (for each
        count of features the mean inner accuracy) and `settings` (those of each seed). `chosen`
        has for each split the test accuracy of whichever pipeline each training part's own inner
        folds chose. `winner` names the pipeline with the best mean inner accuracy under the first
        split; no test image has a say in it.
    """
    words = [
        shlex.quote(f"--{name}={value}" if value else f"--{name}")
        for name, value in given.items()
        if value is not None
    ]
    counts = np.bincount(grid.image_set.targets, minlength=len(grid.image_set.labels)).tolist()
    rows = _rows(grid, cells)
    return {
        "study": "study deep-features",
        "command": " ".join(["blastscope study deep-features DATA --out DIR", *words]),
        "blastscope": __version__,
        "trained_with": [__version__],
        "data": {
            "name": data.resolve().name,
            "sha256": grid.image_set.digest(),
            "n": len(grid.image_set),
            "classes": dict(zip(grid.image_set.labels, counts, strict=True)),
            "limit": limit,
        },
        "part": "test",
        "test_fraction": DEFAULT_TEST_FRACTION,
        "seeds": sorted({seed for _, seed in grid.splits}),
        "intervals": OVER_SEEDS,
        "counts": list(grid.counts),
        "backbones": {
            name: {
                "name": features.name,
                "source": weights[name].source,
                "weights": weights[name].identity,
                "random": weights[name].source == RANDOM,
                "features": features.values.shape[1],
                "constant": int(_full_length(name) - features.values.shape[1]),
            }
            for name, features in grid.features.items()
        },
        "rows": rows,
        "chosen": _chosen(cells),
        "winner": _winner(rows),
    }


def _full_length(backbone: str) -> int:
    from train.deep_features.backbones import BACKBONES

    return BACKBONES[backbone].features


def _rows(grid: Grid, cells: _Cells) -> list[dict[str, Any]]:
    by_row: dict[tuple[str, str, str, SplitKind], dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for cell, classifiers in cells.items():
        for classifier, found in classifiers.items():
            by_row[cell.backbone, cell.selector, classifier, cell.split][cell.seed] = found
    rows = []
    for (backbone, selector, classifier, split), by_seed in by_row.items():
        found = list(by_seed.values())
        sizes = [len(one["predicted"]) for one in found]
        rows.append(
            {
                "backbone": backbone,
                "selector": selector,
                "classifier": classifier,
                "split": split,
                "seeds": list(by_seed),
                "n": {"min": min(sizes), "mean": float(np.mean(sizes)), "max": max(sizes)},
                "figures": {
                    name: summarize_values(
                        [float(one[name]) for one in found],
                        highest=1.0 if is_share else float("inf"),
                    )
                    for name, is_share in FIGURES.items()
                },
                "curve": _curve(found),
                "settings": [
                    {"seed": seed, "count": one["count"], "value": one["value"]}
                    for seed, one in by_seed.items()
                ],
            }
        )
    return rows


def _curve(found: list[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Return for each count the mean over the seeds of the best setting's inner accuracy."""
    best: dict[int, list[float]] = defaultdict(list)
    for one in found:
        by_count: dict[int, float] = {}
        for row in one["grid"]:
            mean = float(np.mean(row["accuracies"]))
            by_count[row["count"]] = max(mean, by_count.get(row["count"], 0.0))
        for count, mean in by_count.items():
            best[count].append(mean)
    return [
        {"count": count, "inner_accuracy": float(np.mean(values))}
        for count, values in sorted(best.items())
    ]


def _chosen(cells: _Cells) -> dict[str, Any]:
    """Return for each split what nested cross-validation gives where it chooses everything."""
    best: dict[tuple[SplitKind, int], tuple[float, float]] = {}
    for cell, classifiers in cells.items():
        for found in classifiers.values():
            here = (found["inner_accuracy"], found["accuracy"])
            division = (cell.split, cell.seed)
            if division not in best or here[0] > best[division][0]:
                best[division] = here
    by_split: dict[str, list[float]] = defaultdict(list)
    for (split, _), (_, accuracy) in best.items():
        by_split[split].append(accuracy)
    return {split: summarize_values(values) for split, values in by_split.items()}


def _winner(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Name the pipeline that inner folds think best; of several as good the fastest to fit."""
    first = rows[0]["split"]
    best = max(
        (row for row in rows if row["split"] == first),
        key=lambda row: (
            row["figures"]["inner_accuracy"]["mean"],
            -row["figures"]["fit_seconds"]["mean"],
        ),
    )
    return {name: best[name] for name in ("backbone", "selector", "classifier")}
