"""blastscope study deep-features."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edge.cli.options import (
    PATH,
    json_option,
    note,
    print_json,
    progress_bar,
    stop_on_signals,
)
from edge.errors import TrainingError

_COUNTS = "32,128,512"


@click.command(
    "deep-features",
    short_help="Select among features of ImageNet networks and classify them.",
    epilog="""\b
Examples:
  blastscope study deep-features images --out deep
  blastscope study deep-features images --out deep --backbones mobilenet-v2 --weights-dir weights
  blastscope study deep-features images --out quick --limit 40 --seeds 0 --weights none
  blastscope study deep-features images --out deep --ray 192.168.1.5:6379 --json
  blastscope evaluate deep/pipeline images --part test

\b
Backbones: inception-v3, resnet101, vgg19, densenet121, mobilenet-v2.
Selectors: anova, rfe, forest, lasso, pca.
Classifiers: svm-linear, svm-rbf, logistic, forest, knn, boosting, mlp.
In --weights-dir files are found by the names that Keras gives them, such as
resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5.""",
)
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder for the cells, tables and winner.")
@click.option("--backbones", help="With commas between.  [default: all]")
@click.option("--selectors", help="With commas between.  [default: all]")
@click.option("--classifiers", help="With commas between.  [default: all]")
@click.option(
    "--features",
    "counts",
    default=_COUNTS,
    show_default=True,
    help="Numbers of features that inner folds choose from.",
)
@click.option(
    "--weights",
    type=click.Choice(["imagenet", "none"]),
    default="imagenet",
    show_default=True,
    help="Of backbones without a file: ImageNet's, downloaded once, or none for random features.",
)
@click.option("--weights-dir", type=PATH, help="Folder with weights as .h5 files.")
@click.option(
    "--seeds", default="0-4", show_default=True, help="One division for each, as 0-4 or 0,2,7."
)
@click.option("--splits", default="random,grouped", show_default=True, help="Ways to divide.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Most images of each class, to try things out."
)
@click.option(
    "--drop-constant",
    is_flag=True,
    help="Leave out features that are the same for all images, instead of stopping.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes on this machine.  [default: all cores]"
)
@click.option("--ray", "ray_address", metavar="ADDRESS", help="Compute on this Ray cluster.")
@json_option
def command(
    data: Path,
    out: Path,
    backbones: str | None,
    selectors: str | None,
    classifiers: str | None,
    counts: str,
    weights: str,
    weights_dir: Path | None,
    seeds: str,
    splits: str,
    limit: int | None,
    drop_constant: bool,
    jobs: int | None,
    ray_address: str | None,
    as_json: bool,
) -> None:
    """Select among features of ImageNet networks, classify them, and show what that is worth.

    Every backbone with every selector and classifier in nested cross-validation: folds inside each
    training part choose settings and the winner, and test parts are scored once. Writes tables, a
    heat map, accuracy against number of features, and the winner for `blastscope evaluate`.
    The same command goes on with a study that was stopped.
    """
    from train.keras_loading import load_keras

    stop_on_signals()
    load_keras()
    from train.deep_features.backbones import BACKBONES
    from train.deep_features.classifiers import CLASSIFIERS
    from train.deep_features.selection import SELECTORS
    from train.splits.kinds import SPLIT_KINDS
    from train.studies.choices import parse_names, parse_seeds
    from train.studies.deep_features import DeepOptions, study_deep_features
    from train.studies.deep_folder import write_deep_study
    from train.studies.deep_tables import summary_markdown

    def names(text: str | None, known: Any, what: str) -> tuple[str, ...]:
        return tuple(known) if text is None else parse_names(text, known, what)

    options = DeepOptions(
        backbones=names(backbones, BACKBONES, "backbones"),
        selectors=names(selectors, SELECTORS, "selectors"),
        classifiers=names(classifiers, CLASSIFIERS, "classifiers"),
        counts=_parse_counts(counts),
        seeds=parse_seeds(seeds),
        splits=parse_names(splits, SPLIT_KINDS, "splits"),
        weights=weights,
        weights_folder=weights_dir,
        limit=limit,
        drop_constant=drop_constant,
        jobs=jobs or len(os.sched_getaffinity(0)),
        ray_address=ray_address,
    )
    given = {
        "backbones": backbones,
        "selectors": selectors,
        "classifiers": classifiers,
        "features": counts if counts != _COUNTS else None,
        "weights": weights if weights != "imagenet" else None,
        "weights-dir": None if weights_dir is None else "WEIGHTS",
        "seeds": seeds if seeds != "0-4" else None,
        "splits": splits if splits != "random,grouped" else None,
        "limit": None if limit is None else str(limit),
        "drop-constant": "" if drop_constant else None,
    }
    with progress_bar("Reading images") as read_progress:
        study = study_deep_features(
            data,
            out,
            options,
            given=given,
            tell=note,
            read_progress=read_progress,
            extract_progress=_tell_steps,
            cell_progress=_tell_cells,
        )
    write_deep_study(out, study)
    if as_json:
        print_json(study.report, indent=2)
    else:
        click.echo(summary_markdown(study.report))
    note(f"Also in {out}: deep-features.md, .json, heat-map.png, features.png and pipeline/")


def _parse_counts(text: str) -> tuple[int, ...]:
    """Return the numbers in a list with commas, each once, in order."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise TrainingError(
            "--features is whole numbers above 0, with commas between",
            got=text or "nothing",
            next_step=f"Give --features {_COUNTS}",
        )
    return tuple(sorted({int(word) for word in words}))


def _tell_steps(backbone: str) -> Callable[[int, int], None]:
    """Return what says every few blocks how far a backbone's features have come."""

    def tell(done: int, total: int) -> None:
        note(f"{backbone}: features of {done:,} of {total:,} images")

    return tell


def _tell_cells(done: int, total: int) -> None:
    note(f"{done} of {total} cells are computed")
