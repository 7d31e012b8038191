"""blastscope study shared-mistakes."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import PATH, json_option, note, print_json, progress_bar

#: Height and width of the images on a sheet, in pixels.
_SIDE = 224


@click.command(
    "shared-mistakes",
    short_help="List the images that several networks get wrong.",
    epilog="""\b
Examples:
  blastscope study shared-mistakes images tamim2025
  blastscope study shared-mistakes images tamim2025 fast --sheet doubtful.png
  blastscope study shared-mistakes images tamim2025 --json""",
)
@click.argument("data", type=PATH)
@click.argument("studies", type=PATH, nargs=-1, required=True, metavar="STUDY...")
@click.option("--sheet", type=PATH, help="Draw these images on one sheet, as PNG.")
@json_option
def command(data: Path, studies: tuple[Path, ...], sheet: Path | None, as_json: bool) -> None:
    """List the test images of DATA that several networks get wrong.

    A STUDY is a folder of `blastscope reproduce tamim2025`. How many mistakes each two networks
    share is set beside how many they would by chance; and images that two or more get wrong are
    those to show to a second expert: they are hard, or their labels are doubtful.
    """
    from train.keras_loading import load_keras

    load_keras()
    from train.image_set import read_image_set
    from train.studies import shared_mistakes

    verdicts = shared_mistakes.read_verdicts(studies)
    with progress_bar("Reading images") as progress:
        image_set = read_image_set(data, _SIDE, _SIDE, progress=progress)
    pairs = shared_mistakes.overlaps(verdicts)
    images = shared_mistakes.doubtful_images(verdicts, image_set)
    if sheet is not None and images:
        shared_mistakes.draw_doubtful_images(sheet, images, image_set)
        shown = min(len(images), shared_mistakes.MOST_SHOWN)
        note(f"{sheet} shows {shown} of {len(images)} images")
    if as_json:
        print_json(shared_mistakes.as_json(pairs, images), indent=2)
    else:
        click.echo(shared_mistakes.as_text(pairs, images))
