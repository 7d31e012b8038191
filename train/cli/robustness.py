"""blastscope robustness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.cli.options import MODEL, PATH, json_option, note, print_json, progress_bar, table


class _Robustness(click.Command):
    """A command whose help ends with the table of all degradations."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from train.robustness.catalogue import DEGRADATIONS

        with formatter.section("Degradations, with their parameter at severities 1 to 5"):
            formatter.write_dl(
                [
                    (one.name, f"{one.parameter}: {', '.join(f'{v:g}' for v in one.values)}")
                    for one in DEGRADATIONS
                ]
            )
        super().format_epilog(ctx, formatter)


@click.command(
    "robustness",
    cls=_Robustness,
    epilog="""\b
Examples:
  blastscope robustness run images --part test --out robustness
  blastscope robustness run model.tflite images --part test --split run/split.csv --out both
  blastscope robustness model.tflite images --per-class 30 --json""",
)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=MODEL)
@click.argument("data", type=PATH)
@click.option(
    "--part",
    type=click.Choice(["all", "train", "validation", "test"]),
    default="all",
    show_default=True,
    help="Which part of the split to test; images are recognized by their content.",
)
@click.option("--split", "split_path", type=PATH, help="A run's split.csv, for a .tflite file.")
@click.option(
    "--per-class", type=click.IntRange(min=1), help="Take so many images of each class at random."
)
@click.option("--out", type=PATH, help="Folder to make, with a page, curves, examples and JSON.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@json_option
def command(
    models: tuple[Path, ...],
    data: Path,
    part: str,
    split_path: Path | None,
    per_class: int | None,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Degrade labelled images step by step and see how far models follow.

    MODELs are run folders, .keras or .tflite files; several are tested on the same altered images
    and drawn in one picture. Besides the degradations below: a strong laboratory shift (stain, hue
    and light together), and the bottom right corner, where some sets have scale bars burned in,
    blanked and swapped between classes. Lengths are in pixels of a field 224 pixels high.
    """
    if any(model.suffix != ".tflite" for model in models):
        from train.keras_loading import load_keras

        load_keras()
    from edge.output import require_absent, require_writable
    from train.robustness.material import gather
    from train.robustness.report import robustness_report
    from train.robustness.study import measure

    if out is not None:
        require_absent(out)
        require_writable(out)
    with progress_bar("Reading images") as progress:
        material = gather(
            models,
            data,
            part=part,
            split_path=split_path,
            per_class=per_class,
            seed=seed,
            progress=progress,
        )
    for name, trained_on, same_data in zip(
        material.models, material.trained_on, material.same_data, strict=True
    ):
        if trained_on or (same_data and part == "all"):
            note(
                f"Beware: {name} was trained on some of these images. Use --part test with --split "
                "RUN/split.csv for those it has never seen."
            )
    with progress_bar("Altering and scoring") as progress:
        results = measure(material, seed=seed, progress=progress)
    report = robustness_report(material, results, seed)
    if out is not None:
        from train.robustness.folder import write_folder

        write_folder(out, report, material)
    if as_json:
        print_json(report, indent=2)
        return
    _print(report)
    click.echo(
        f"\nPage: {out / 'index.html'}"
        if out is not None
        else "\nWith --out DIR also curves, examples and a page."
    )


def _print(report: dict[str, Any]) -> None:
    from train.robustness.tables import images_line, severity_table, summary_table

    click.echo(f"{images_line(report)}\n")
    summary = summary_table(report)
    click.echo(table(summary.header, summary.rows))
    for name in report["models"]:
        severities = severity_table(report, name)
        click.echo(f"\n{name}: accuracy by severity")
        click.echo(table(severities.header, severities.rows))
