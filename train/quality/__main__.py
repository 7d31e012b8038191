"""python -m train.quality: fit the limits of image quality, and measure what they do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edge.cli.main import run
from edge.cli.options import PATH, json_option, note, percent, print_json, table


@click.command(
    epilog="""\b
Examples:
  python -m train.quality images --out limits.json
  python -m train.quality images --foreign other/JPEGImages --json""",
)
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, help="File to write the limits into, as JSON.")
@click.option("--limits", type=PATH, help="Fit nothing: measure these limits, or `shipped`.")
@click.option("--foreign", type=PATH, multiple=True, help="Folder of images from elsewhere.")
@click.option("--source", help="What to note as the data's source in the file.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@json_option
def command(
    data: Path,
    out: Path | None,
    limits: Path | None,
    foreign: tuple[Path, ...],
    source: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Fit the limits on one half of DATA's images, and measure them on the other.

    DATA holds a folder per class with good fields. The halves go by the files' digests and the
    seed; what is spoiled is made from each half's own images.
    """
    from edge.output import write_json
    from edge.quality import MEASURED_SIDE, load_limits
    from train.image_set import read_image_set
    from train.quality.fitting import fit_limits
    from train.quality.foreign import read_foreign
    from train.quality.selectivity import halve, measure_selectivity

    image_set = read_image_set(data, MEASURED_SIDE, MEASURED_SIDE)
    development, held_out = halve(image_set.digests, seed)
    if limits is not None:
        judged = load_limits(None if str(limits) == "shipped" else limits)
    else:
        provenance = {"data": source or data.name, "data_sha256": image_set.digest()}
        judged = fit_limits(image_set.images[development], seed, provenance)
        if out is not None:
            write_json(out, judged.as_json())
    report = {
        "data": str(data),
        "seed": seed,
        "limits": judged.as_json(),
        **measure_selectivity(
            image_set.images[held_out],
            judged,
            seed,
            ((str(folder), read_foreign(folder)) for folder in foreign),
            lambda name: note(f"Measuring: {name}"),
        ),
    }
    if as_json:
        print_json(report, indent=2)
    else:
        _print(report)


def _print(report: dict[str, Any]) -> None:
    limits = [
        (name, *("–" if value is None else f"{value:g}" for value in pair))
        for name, pair in report["limits"]["limits"].items()
    ]
    click.echo(table(("measure", "lowest", "highest"), limits) + "\n")
    good = report["good"]
    rows = [("good fields, passed", *_cells(good))]
    rows += [(name, *_cells(one)) for name, one in {**report["bad"], **report["foreign"]}.items()]
    click.echo(table(("held out: caught", "n", "share", "95 % interval", "mostly by"), rows))


def _cells(one: dict[str, Any]) -> tuple[str, str, str, str]:
    interval = "–" if one["ci95"] is None else "{:.1%} to {:.1%}".format(*one["ci95"])
    mostly = ", ".join(f"{name} {count}" for name, count in list(one["by"].items())[:3])
    return str(one["n"]), percent(one["share"]), interval, mostly


if __name__ == "__main__":
    sys.exit(run(command=command))
