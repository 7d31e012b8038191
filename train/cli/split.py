"""blastscope split."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import PATH, json_option, note, print_json, progress_bar, table
from edge.output import make_folder, require_absent, whole_file
from train.splits.kinds import MOST_FOLDS, SPLIT_KINDS, SplitKind

if TYPE_CHECKING:
    from train.image_set import ImageSet
    from train.splits.split import Split

#: Side in pixels that the images are read at: no network looks at them.
_SIDE = 32


@click.command(
    "split",
    epilog="""\b
Examples:
  blastscope split images --kind grouped --out split.csv
  blastscope split images --kind subject --folds 5 --out folds
  blastscope split images --kind grouped --repeats 5 --out splits
  blastscope split --list folds/*.csv
  blastscope train custom-cnn --data images --split split.csv --out run

\b
random keeps near-identical, mirrored and turned copies on one side, grouped keeps pseudo-groups
(images that look as if from one smear) on one side, and subject keeps subjects on one side, which
it reads from C-NMC file names. unseen-subjects does so for the test part alone: for sets
with too few healthy subjects to spare one for validation.""",
)
@click.argument("paths", metavar="DATA", type=PATH, nargs=-1, required=True)
@click.option(
    "--kind",
    type=click.Choice(SPLIT_KINDS),
    default="grouped",
    show_default=True,
    help="What stays on one side.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="Of the random order; the first of several with --repeats.",
)
@click.option(
    "--test-fraction",
    type=float,
    help="Share of each class kept apart for testing.  [default: 0.2]",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2, max=MOST_FOLDS),
    help="Make this many splits that test on each image once.",
)
@click.option(
    "--repeats", type=click.IntRange(min=1, max=1000), help="Make this many splits, a seed each."
)
@click.option(
    "--out", type=PATH, help="File to write, or folder of files with --folds or --repeats."
)
@click.option("--list", "listing", is_flag=True, help="Tell what split files hold, and make none.")
@json_option
def command(
    paths: tuple[Path, ...],
    kind: SplitKind,
    seed: int,
    test_fraction: float | None,
    folds: int | None,
    repeats: int | None,
    out: Path | None,
    listing: bool,
    as_json: bool,
) -> None:
    """Divide an image set into training, validation and test parts, as files.

    `blastscope train --split FILE` takes such a file, checks it against the images and trains on
    it. It is CSV: path, part, group, sha256, kind, seed, fold. With --json, one object for each
    file: its counts by part and class, its groups, and its digest.
    """
    if listing:
        from train.splits.split import read_split

        made = [(path, read_split(path)) for path in paths]
    else:
        if len(paths) != 1:
            raise click.UsageError("One folder of images is divided at a time.")
        if out is None:
            raise click.UsageError("Missing option '--out': the file or folder to write.")
        if folds is not None and (repeats is not None or test_fraction is not None):
            raise click.UsageError("--folds goes with neither --repeats nor --test-fraction.")
        require_absent(out)
        made = _write(
            out, _make(paths[0], kind, seed, test_fraction, folds, repeats), folds, repeats
        )
    _report(made, as_json)
    if not listing:
        some = shlex.quote(str(made[0][0]))
        note(f"Next: blastscope train custom-cnn --data {paths[0]} --split {some} --out run")


def _make(
    data: Path,
    kind: SplitKind,
    seed: int,
    test_fraction: float | None,
    folds: int | None,
    repeats: int | None,
) -> Sequence[Split]:
    """Read the images and divide them once or several times; check each division."""
    from train.image_set import read_image_set
    from train.splits import division
    from train.splits.leakage import check_leakage
    from train.splits.split import DEFAULT_TEST_FRACTION

    with progress_bar("Reading images") as progress:
        image_set = read_image_set(data, _SIDE, _SIDE, progress=progress)
    _tell_of_subjects(image_set, kind)
    grouping = division.find_groups(image_set, kind)
    if folds is not None:
        splits = division.k_folds(image_set, grouping, folds, seed)
    else:
        fraction = DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction
        splits = division.repeats(image_set, grouping, repeats or 1, fraction, seed)
    for split in splits:
        check_leakage(split, image_set, grouping)
    return splits


def _tell_of_subjects(image_set: ImageSet, kind: SplitKind) -> None:
    """Say where the names tell subjects and another kind of division is asked for."""
    from train.splits.subjects import find_subjects

    by_subject = kind in ("subject", "unseen-subjects")
    if not by_subject and find_subjects(image_set.called) is not None:
        note("The file names tell subjects: --kind subject keeps them on one side.")


def _write(
    out: Path, splits: Sequence[Split], folds: int | None, repeats: int | None
) -> list[tuple[Path, Split]]:
    """Write a single division as the file `out`, several as files inside it."""
    from train.splits.split import write_split

    if folds is None and repeats is None:
        files = [out]
    elif folds is None:
        files = [out / f"seed-{split.seed}.csv" for split in splits]
    else:
        files = [out / f"fold-{number}-of-{folds}.csv" for number in range(1, folds + 1)]
    make_folder(files[0].parent)
    for file, split in zip(files, splits, strict=True):
        with whole_file(file) as temporary:
            write_split(temporary, split)
    return list(zip(files, splits, strict=True))


def _report(made: Sequence[tuple[Path, Split]], as_json: bool) -> None:
    """Print what each division holds."""
    from train.splits.summary import summarize

    summaries = [{"file": str(path), **summarize(split)} for path, split in made]
    if as_json:
        print_json(summaries if len(summaries) > 1 else summaries[0], indent=2)
        return
    for summary in summaries:
        _show(summary)


def _show(summary: dict[str, Any]) -> None:
    """Print one division as a table."""
    images = summary["images"]
    labels = list(images["train"])
    seed = "" if summary["seed"] is None else f", seed {summary['seed']}"
    click.echo(f"{summary['file']}: {summary['n']} images{seed}, digest {summary['digest'][:12]}")
    click.echo(f"({summary['caveat']})")
    rows = [
        [part, *(str(counts[label]) for label in labels), str(summary["groups"][part])]
        for part, counts in images.items()
    ]
    click.echo(table(["part", *labels, "groups"], rows))
    if summary["crossing"]:
        note(f"Beware: {summary['crossing']} groups are in several parts; training refuses this.")
    click.echo()
