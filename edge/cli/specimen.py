"""blastscope specimen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edge.cli.image_paths import find_images
from edge.cli.options import (
    PATH,
    calibration_option,
    json_option,
    model_option,
    note,
    print_json,
    progress_bar,
    threads_option,
)
from edge.cli.specimen_options import describe_answer, given, specimen_options
from edge.errors import FrameError, ImageFileError
from edge.labels import DISCLAIMER


@click.command(
    "specimen",
    epilog="""\b
Examples:
  blastscope specimen smear-17/
  blastscope specimen smear-17/ --model fast --json
  blastscope specimen edge/ body/ --calibration station.json --benign-share 0.1""",
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@specimen_options
@calibration_option
@model_option
@threads_option
@json_option
def command(
    paths: tuple[Path, ...],
    calibration_path: Path | None,
    model_path: Path,
    threads: int | None,
    as_json: bool,
    **rule_words: Any,
) -> None:
    """Answer for one specimen from the fields in image files or folders.

    All images are of one specimen. The answer is malignant or benign where the share of malignant
    fields surely is above or below its limit, "more" with the number of fields that it still
    takes, or "refer" where a person has to look. The share's interval heeds that the model errs,
    that its errors on one smear are alike, that fields next to each other are, and that one may
    stop at any number of them. Fields to be taken again count for nothing, those to be referred
    for either class, and a place once.

    With --json, one object: answer, reasons, more_fields, stage, malignant and classes (fields,
    share, interval), fields (results, referred, repeated, seen_before, effective), confidence,
    notice, model and unreadable. The exit code is 1 if there is no answer yet, and 2 if an image
    cannot be read.
    """
    from edge.classifier import Classifier
    from edge.image_file import read_image
    from edge.quality import read_calibration
    from edge.specimen import Specimen, SpecimenRule

    rule = SpecimenRule(**given(rule_words))
    calibration = None if calibration_path is None else read_calibration(calibration_path)
    files = list(find_images(paths))
    unreadable: list[dict[str, str]] = []
    with Classifier.load(model_path, threads, calibration) as classifier:
        specimen = Specimen(classifier.model, rule)
        with progress_bar("Classifying") as show:
            for done, file in enumerate(files, start=1):
                try:
                    frame = read_image(file)
                    specimen.add(classifier.classify(frame), frame)
                except (ImageFileError, FrameError) as error:
                    unreadable.append({"path": str(file), "error": str(error)})
                show(done, len(files))
        answer = specimen.answer()
        model_id = classifier.model.model_id
    if as_json:
        print_json({**answer.as_json(), "model": model_id, "unreadable": unreadable})
    else:
        click.echo(describe_answer(answer))
        note(DISCLAIMER)
    for one in unreadable:
        note(f"{one['path']}: {one['error']}")
    if unreadable:
        note(f"{len(unreadable)} of {len(files)} images could not be read.")
    sys.stdout.flush()
    if unreadable or answer.verdict in ("more", "refer"):
        click.get_current_context().exit(2 if unreadable else 1)
