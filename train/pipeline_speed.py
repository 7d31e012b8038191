"""What the input pipeline alone delivers, beside a training: `python -m train.pipeline_speed RUN`.

The run's own images, order, augmentation and fitting, once before its network and once before a
network of a single layer: what that takes in a second is the most that any network could.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.main import run
from edge.cli.options import PATH, json_option, note, print_json

if TYPE_CHECKING:
    import keras

    from train.fitting import FitData
    from train.recipes import Recipe

#: The first one compiles, the last one counts.
_EPOCHS = 2


@dataclass(frozen=True, slots=True)
class PipelineSpeed:
    """Images per second of a training and of its input pipeline, in one run on one machine.

    Attributes:
        network: the network's name.
        backend: Keras's.
        images: that an epoch had.
        training: augmented, and the network taught by them.
        pipeline: augmented alone.
    """

    network: str
    backend: str
    images: int
    training: float
    pipeline: float


def measure(folder: Path, most: int | None = None) -> PipelineSpeed:
    """Time an epoch of a run's training, and one of its input pipeline alone.

    Args:
        folder: a run folder, of whose training part the images are; without its teacher.
        most: images to take of it; None takes all.

    Raises:
        TrainingError, DatasetError, SplitError: the folder or its images are damaged or gone.
    """
    import keras

    from train.fitting import FitData
    from train.image_set import read_image_set
    from train.networks.building import build_network
    from train.precision import best_precision, compute_with
    from train.recipes import find_recipe
    from train.run_folder import RunFolder
    from train.splits.checked import take_split

    config = RunFolder(folder).read_config()
    recipe = replace(find_recipe(config.network), augmentation=tuple(config.augmentation))
    image_set = read_image_set(Path(config.data), recipe.side, recipe.side, cell=recipe.cell)
    chosen = take_split(image_set, RunFolder(folder).read_split()).indices("train")[:most]
    images, targets = image_set.images[chosen], image_set.targets[chosen]
    # One image to validate: it takes no time.
    data = FitData(images, targets, images[:1], targets[:1])
    classes = len(image_set.labels)
    with compute_with(best_precision()):
        network = build_network(recipe, classes, "none")
        if recipe.head_epochs:
            for layer in network.get_layer("backbone").layers[: recipe.frozen_layers]:
                layer.trainable = False
    pixels = keras.Input((recipe.side, recipe.side, 3))
    means = keras.layers.GlobalAveragePooling2D()(pixels)
    nothing = keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(means))
    return PipelineSpeed(
        network=recipe.network,
        backend=keras.backend.backend(),
        images=len(chosen),
        training=_images_per_second(network, data, recipe),
        pipeline=_images_per_second(nothing, data, recipe),
    )


def _images_per_second(network: keras.Model, data: FitData, recipe: Recipe) -> float:
    from train.checkpoint import Checkpoint
    from train.fitting import fit

    with tempfile.TemporaryDirectory() as scratch:
        state = fit(
            network, data, recipe, epochs=_EPOCHS, seed=0, checkpoint=Checkpoint(Path(scratch))
        )
    return len(data.images) / state.history[-1].seconds


@click.command()
@click.argument("run_folder", metavar="RUN", type=PATH)
@click.option("--images", type=click.IntRange(1), help="Take so many.  [default: all]")
@json_option
def main(run_folder: Path, images: int | None, as_json: bool) -> None:
    """Print how many images a second a training takes in, and how many it is offered."""
    from dataclasses import asdict

    from train.keras_loading import load_keras

    load_keras()
    note(f"{_EPOCHS} epochs of the network, and as many without one; the last of each counts")
    found = measure(run_folder, images)
    if as_json:
        print_json(asdict(found))
        return
    click.echo(
        f"{found.network}, {found.backend}, {found.images} images: training takes in "
        f"{found.training:.0f} a second; the input pipeline alone delivers {found.pipeline:.0f}, "
        f"{found.pipeline / found.training:.1f} times as many"
    )


if __name__ == "__main__":
    sys.exit(run(command=main))
