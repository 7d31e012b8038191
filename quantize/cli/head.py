"""blastscope train head."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from edge.cli.options import (
    PATH,
    accuracy_line,
    json_option,
    note,
    print_json,
    progress_bar,
    stop_on_signals,
    table,
)
from quantize.accuracy_gate.criterion import Criterion
from quantize.cli.criterion_options import criterion_options
from train.splits.split import DEFAULT_TEST_FRACTION


@click.command(
    "train head",
    epilog="""\b
Examples:
  blastscope train head --data images --out model.tflite
  blastscope train head --data images --out model.tflite --weights mobilenet_v2.weights.h5
  blastscope train head --data images --out model.tflite --split grouped --fold 1/5 --json

\b
The images lie as images/<class>/*.jpg or images/Original/<class>/*.jpg.
The backbone is MobileNetV2 with ImageNet's weights. It is quantized once, and what it gives for
an image is kept (see BLASTSCOPE_CACHE), so that the next head for the same images takes no time
to speak of.""",
)
@click.option("--data", type=PATH, required=True, help="Folder with one folder per class.")
@click.option("--out", type=PATH, required=True, help="Model file to write.")
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    help="Of the backbone: imagenet (downloaded once), none (random), or the path of a .h5 file.",
)
@click.option(
    "--features",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="How many of the backbone's 1,280 features the head sees.",
)
@click.option(
    "--split",
    metavar="KIND|FILE",
    default="random",
    show_default=True,
    help="What stays on one side: random, grouped or subject; or a split's file.",
)
@click.option("--fold", metavar="I/K", help="Test on the I-th of K folds, such as 1/5.")
@click.option(
    "--test-fraction",
    type=float,
    help="Share of the images kept apart for testing; with 0, figures are of the validation part.  "
    f"[default: {DEFAULT_TEST_FRACTION}]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="Of the split and of all else that is random.",
)
@criterion_options
@click.option(
    "--accept-too-few",
    is_flag=True,
    help="Write the model even where there are too few images to tell; its card says so.",
)
@click.option(
    "--model-version",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Counts up with each release: a station with a trust store takes no older one.",
)
@click.option("--overwrite", is_flag=True, help="Replace --out if it exists.")
@json_option
def command(
    data: Path,
    out: Path,
    weights: str,
    features: int,
    split: str,
    fold: str | None,
    test_fraction: float | None,
    seed: int,
    criterion: Criterion,
    accept_too_few: bool,
    model_version: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Fit a new head to a frozen int8 backbone, in seconds on a CPU.

    The head selects among the backbone's features and is linear: both are folded into one dense
    layer, and the result is an ordinary model file. It is written only if it is as good as the
    float head on the float backbone, as `blastscope quantize` asks of a network.
    """
    stop_on_signals()
    from quantize.head.training import HeadOptions, train_head
    from train.deep_features.weights import find_weights
    from train.options import check_split_options
    from train.splits.kinds import parse_fold

    check_split_options(split, fold, test_fraction)
    options = HeadOptions(
        weights=find_weights((), "mobilenet-v2", weights, None),
        features=features,
        split=split,
        fold=None if fold is None else parse_fold(fold),
        test_fraction=DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction,
        seed=seed,
        model_version=model_version,
        accept_too_few=accept_too_few,
    )
    with progress_bar("Reading images") as read_progress, ExitStack() as bars:
        shown: list[Callable[[int, int], None]] = []

        def embed_progress(done: int, total: int) -> None:
            if not shown:
                shown.append(bars.enter_context(progress_bar("Computing features")))
            shown[0](done, total)

        result = train_head(
            data,
            out,
            options,
            criterion=criterion,
            overwrite=overwrite,
            read_progress=read_progress,
            embed_progress=embed_progress,
            tell=note,
        )
    decision, model = result.decision, result.model
    if as_json:
        print_json(
            {
                "model": str(out),
                "model_id": model.model_id,
                "bytes": len(model.content),
                "features": result.features,
                "embedded": result.embedded,
                "seconds": result.seconds,
                **model.card["quantization"],
                "gate": decision.as_dict(),
                "float": result.float_report,
                "int8": result.int8_report,
            },
            indent=2,
        )
        return
    changed = decision.unseen.flipped
    click.echo(f"float, {decision.part} part: {accuracy_line(result.float_report)}")
    click.echo(f"int8,  {decision.part} part: {accuracy_line(result.int8_report)}")
    click.echo(f"({model.card['training']['split']}; seed {seed})\n")
    rows = [(name, f"{seconds:.2f}") for name, seconds in result.seconds.items()]
    click.echo(table(("step", "seconds"), [*rows, ("all", f"{sum(result.seconds.values()):.2f}")]))
    click.echo(f"\nHead: {model.card['quantization']['detail']}")
    click.echo(f"Gate: {decision.outcome}; {len(changed)} of {decision.unseen.n} change class")
    click.echo(f"Model: {out} ({len(model.content) / 1e6:.2f} MB)")
    note(f"Next: blastscope classify IMAGE --model {shlex.quote(str(out))}")
