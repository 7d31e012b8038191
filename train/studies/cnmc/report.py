"""The figures of a C-NMC study, as JSON has them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import __version__
from edge.decision_rule import most_likely
from train.evaluation.by_subject import subject_figures
from train.evaluation.metrics import classification_report
from train.evaluation.seeds import summarize_seeds, summarize_values
from train.image_set import ImageSet
from train.splits.kinds import SplitKind
from train.splits.split import Split
from train.splits.subjects import read_subjects
from train.studies.cnmc.cell_scores import FLOAT, CellScores
from train.studies.cnmc.size import SIZE, score_by_size

RANDOM: SplitKind = "random"
UNSEEN: SplitKind = "unseen-subjects"


def cell_report(
    study: str,
    options: Mapping[str, str | None],
    image_set: ImageSet,
    subjects: NDArray[np.int64],
    by_split: Mapping[SplitKind, Sequence[CellScores]],
    splits: Mapping[SplitKind, Sequence[Split]],
) -> dict[str, Any]:
    """Return every figure of a study.

    Under random splits each run has a report, and figures are means over the runs. On unseen
    subjects all folds make one report: each cell is scored once, by the network that was trained
    without its subject, and whole subjects are drawn for intervals, as many of each class as there
    are.

    Args:
        study: the words of the command that name it.
        options: what was given to the command beside its defaults, by option; without places.
        image_set: the images.
        subjects: each image's subject, those that share an image being one; int64, shape (n,).
        by_split: each run's scores.
        splits: each run's split, in the same order.

    Returns:
        `study, command, blastscope, trained_with, data {name, sha256, n, classes, subjects}`;
        `random {n, runs, figures}` and `unseen {n, report, subjects, fold_reports}`, all of which
        have an entry for each precision and for `SIZE`, what the cell's size alone scores; in both
        `agreement`, the share of cells of which each other precision says what float says;
        and `quantized`, what there is to say of each quantized network.
    """
    words = [shlex.quote(f"--{name}={value}") for name, value in options.items() if value]
    names = read_subjects(image_set.called)
    counts = np.bincount(image_set.targets, minlength=len(image_set.labels)).tolist()
    by_class = [
        len({names[place] for place in np.flatnonzero(image_set.targets == target)})
        for target in range(len(image_set.labels))
    ]
    everyone = [one for runs in by_split.values() for one in runs]
    return {
        "study": study,
        "command": " ".join(["blastscope", study, "DATA", "--out DIR", *words]),
        "blastscope": __version__,
        "trained_with": sorted({one.trained_with for one in everyone}),
        "data": {
            "name": image_set.folder.resolve().name,
            "sha256": image_set.digest(),
            "n": len(image_set),
            "classes": dict(zip(image_set.labels, counts, strict=True)),
            "subjects": dict(zip(image_set.labels, by_class, strict=True)),
        },
        "random": _random(image_set, by_split[RANDOM], splits[RANDOM]),
        "unseen": _unseen(image_set, names, subjects, by_split[UNSEEN], splits[UNSEEN]),
        "quantized": [
            {"split": split, "run": found.fold or found.seed, "precision": name, "note": note}
            for split, runs in by_split.items()
            for one, found in zip(runs, splits[split], strict=True)
            for name, note in one.notes.items()
        ],
    }


def _random(
    image_set: ImageSet, runs: Sequence[CellScores], splits: Sequence[Split]
) -> dict[str, Any]:
    reports: dict[str, list[dict[str, Any]]] = {}
    for one, split in zip(runs, splits, strict=True):
        chosen = _places(image_set, one)
        for name, scores in _with_size(image_set, one, split, chosen).items():
            report = classification_report(one.targets, scores, image_set.labels)
            reports.setdefault(name, []).append(report)
    return {
        "n": [len(one.targets) for one in runs],
        "runs": reports,
        "figures": {name: summarize_seeds(found) for name, found in reports.items()},
        "agreement": {
            name: summarize_values([_agreement(one.scores, name, image_set) for one in runs])
            for name in runs[0].notes
        },
    }


def _unseen(
    image_set: ImageSet,
    names: Sequence[str],
    subjects: NDArray[np.int64],
    runs: Sequence[CellScores],
    splits: Sequence[Split],
) -> dict[str, Any]:
    places, targets = [], []
    scores: dict[str, list[NDArray[np.float32]]] = {}
    folds: dict[str, list[dict[str, Any]]] = {}
    for one, split in zip(runs, splits, strict=True):
        chosen = _places(image_set, one)
        places.append(chosen)
        targets.append(one.targets)
        for name, rows in _with_size(image_set, one, split, chosen).items():
            scores.setdefault(name, []).append(rows)
            report = classification_report(
                one.targets, rows, image_set.labels, subjects[chosen], by_class=True
            )
            folds.setdefault(name, []).append(report)
    order, true = np.concatenate(places), np.concatenate(targets)
    pooled = {name: np.concatenate(rows) for name, rows in scores.items()}
    called = [names[place] for place in order]
    return {
        "n": len(order),
        "report": {
            name: classification_report(
                true, rows, image_set.labels, subjects[order], by_class=True
            )
            for name, rows in pooled.items()
        },
        "subjects": {
            name: subject_figures(called, true, rows, image_set.labels)
            for name, rows in pooled.items()
        },
        "fold_reports": folds,
        "agreement": {name: _agreement(pooled, name, image_set) for name in runs[0].notes},
    }


def _agreement(scores: Mapping[str, NDArray[np.float32]], name: str, image_set: ImageSet) -> float:
    """Return the share of images that a precision puts into the same class as float."""
    classes = [most_likely(scores[one], image_set.labels) for one in (FLOAT, name)]
    return float((classes[0] == classes[1]).mean())


def _with_size(
    image_set: ImageSet, one: CellScores, split: Split, chosen: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """Return the scores of each precision, and those of the cell's size alone."""
    known = dict(zip(split.digests, split.parts, strict=True))
    fitted_on = np.flatnonzero([known[digest] != "test" for digest in image_set.digests])
    return {**one.scores, SIZE: score_by_size(image_set, fitted_on, chosen)}


def _places(image_set: ImageSet, one: CellScores) -> NDArray[np.int64]:
    """Return where a run's test images are in the set; int64, shape (n,)."""
    places = {digest: place for place, digest in enumerate(image_set.digests)}
    return np.array([places[digest] for digest in one.digests], np.int64)
