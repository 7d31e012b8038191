"""blastscope quality."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edge.cli.options import PATH, calibration_option, json_option, note, print_json, progress_bar
from edge.errors import FrameError, ImageFileError
from edge.labels import DISCLAIMER


@click.command(
    "quality",
    epilog="""\b
Examples:
  blastscope quality field.jpg
  blastscope quality fields/ --calibration empty.jpg --json > quality.jsonl""",
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option(
    "--limits",
    "limits_path",
    type=PATH,
    help="Limits that `python -m train.quality` fitted; those that come along if left out.",
)
@calibration_option
@json_option
def command(
    paths: tuple[Path, ...],
    limits_path: Path | None,
    calibration_path: Path | None,
    as_json: bool,
) -> None:
    """Say whether images, or all images inside folders, are fit to be classified.

    Focus, motion, exposure, clipping, contrast, colour cast, white cells in sight and scale are
    measured, and what is out of its limits comes with an instruction. The exit code is 1 if any
    image is to be taken again. With --json, one line per image: path, ok, findings and measures.
    An image that cannot be read gives a line with `error`, and the exit code is 2.
    """
    from edge.cli.image_paths import find_images
    from edge.quality import load_limits, read_calibration

    limits = load_limits(limits_path)
    calibration = None if calibration_path is None else read_calibration(calibration_path)
    files = list(find_images(paths))
    width = max((len(str(file)) for file in files), default=0)
    failed = repeated = 0
    with progress_bar("Assessing", shown=not sys.stdout.isatty()) as show:
        for done, file in enumerate(files, start=1):
            row = _assess(file, limits, calibration)
            failed += "error" in row
            repeated += not row.get("ok", True)
            if as_json:
                print_json(row)
            else:
                click.echo(_describe(row, width))
            show(done, len(files))
    if not as_json:
        note(f"{repeated} of {len(files)} images are to be taken again. {DISCLAIMER}")
    if failed:
        note(f"{failed} of {len(files)} images could not be assessed.")
    if failed or repeated:
        click.get_current_context().exit(2 if failed else 1)


def _assess(path: Path, limits: Any, calibration: Any) -> dict[str, Any]:
    from edge.image_file import read_image
    from edge.quality import assess

    try:
        quality = assess(read_image(path))
    except (ImageFileError, FrameError) as error:
        return {"path": str(path), "error": str(error)}
    findings = limits.findings(quality, calibration)
    return {
        "path": str(path),
        "ok": not findings,
        "findings": [finding.as_json() for finding in findings],
        "measures": quality.as_json(),
    }


def _describe(row: dict[str, Any], width: int) -> str:
    start = f"{row['path']:<{width}}"
    if "error" in row:
        return f"{start}  error: {row['error']}"
    if row["ok"]:
        return f"{start}  ok"
    reasons = "; ".join(
        f"{one['instruction']} ({one['measure']} {one['value']:.3g}, limit {one['limit']:.3g})"
        for one in row["findings"]
    )
    return f"{start}  repeat  {reasons}"
