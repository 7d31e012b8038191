"""The models that come with blastscope, made anew: `make models`.

Each network is trained on every image of a set but the tenth that validates it, quantized with the
gate, and written where the runtime looks for it. What such a network scores on images that it has
not seen is measured apart, by `blastscope reproduce`, since here none is kept for testing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from edge.cli.main import run
from edge.cli.options import PATH, accuracy_line, note, table
from edge.shipped_models import DEFAULT_MODEL, SHIPPED_MODELS, shipped_model
from quantize.accuracy_gate.criterion import Criterion

#: Accuracy is held on some 250 images, of which one is 0.4 points; all other limits are the usual
#: ones, held on every image that the calibration did not see.
CRITERION = Criterion(max_drop_points=0.4)


def ship(
    name: str, data: Path, weights: Path, runs: Path, out: Path, *, seed: int = 0, version: int = 1
) -> tuple[str, ...]:
    """Train, quantize and write one model.

    Args:
        name: out of `edge.shipped_models.SHIPPED_MODELS`.
        data: the image set.
        weights: a folder with ImageNet's weights, `mobilenet_v2_1.0_224_no_top.weights.h5`.
        runs: where run folders go; a finished run is taken as it is.
        out: where models go.
        seed: of everything random.
        version: of the model.

    Returns:
        A row of the table: name, float and int8 accuracy, images that changed class, and size.

    Raises:
        BlastscopeError: see `train.training.train` and `quantize.quantization.quantize`.
    """
    from quantize.quantization import quantize
    from train.cli.train import show_epoch
    from train.recipes import find_recipe
    from train.run_folder import RunFolder
    from train.training import train

    recipe = find_recipe(name)
    own = weights / "mobilenet_v2_1.0_224_no_top.weights.h5"
    folder = RunFolder(runs / name)
    if not folder.model.is_file():
        train(
            name,
            data,
            folder.path,
            weights=str(own) if recipe.default_weights else None,
            test_fraction=0.0,
            seed=seed,
            resume=folder.config.is_file(),
            fit_progress=show_epoch,
        )
    result = quantize(
        folder.path,
        out / shipped_model(name).name,
        criterion=CRITERION,
        report=runs / f"{name}-gate",
        model_version=version,
        data=data,
        overwrite=True,
        tell=lambda line, attempt: note(line),
    )
    unseen = result.decision.unseen
    return (
        name,
        accuracy_line(result.float_report),
        accuracy_line(result.int8_report),
        f"{len(unseen.flipped)} of {unseen.n:,}",
        f"{len(result.model.content) / 1e3:,.0f} kB",
    )


@click.command()
@click.argument("data", type=PATH)
@click.option("--weights", type=PATH, required=True, help="Folder with ImageNet's weights.")
@click.option("--runs", type=PATH, default=Path("runs/models"), show_default=True)
@click.option("--out", type=PATH, default=shipped_model(DEFAULT_MODEL).parent)
@click.option("--only", "names", multiple=True, type=click.Choice(list(SHIPPED_MODELS)))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--model-version", type=click.IntRange(min=1), default=1, show_default=True)
def main(
    data: Path,
    weights: Path,
    runs: Path,
    out: Path,
    names: Sequence[str],
    seed: int,
    model_version: int,
) -> None:
    """Make the models that come with blastscope from the images in DATA."""
    from train.keras_loading import load_keras

    load_keras()
    rows = []
    for name in SHIPPED_MODELS:
        if not names or name in names:
            note(f"{name}: {SHIPPED_MODELS[name]}")
            rows.append(ship(name, data, weights, runs, out, seed=seed, version=model_version))
    header = ("network", "float, validation", "int8, validation", "changed class", "file")
    click.echo(table(header, rows))


if __name__ == "__main__":
    sys.exit(run(command=main))
