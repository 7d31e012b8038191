"""How each network is trained, unless the command line says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from edge.cell_crop import CellCrop
from edge.errors import TrainingError
from train.augmentation.names import AUGMENTATIONS

#: "channel" is a rougher form of what "stain" does: it is there for comparison.
USUAL_AUGMENTATIONS = tuple(name for name in AUGMENTATIONS if name != "channel")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One network's training.

    Attributes:
        network: the network's name.
        side: height and width of its input in pixels.
        epochs: passes over the training part.
        batch_size: images per step.
        learning_rate: the highest rate; it rises to it over the first twentieth of all steps and
            falls to nearly nothing along a cosine.
        weight_decay: of AdamW.
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`.
        head_epochs: passes over the features of a frozen backbone, before fine-tuning.
        frozen_layers: how many of the backbone's first layers stay as they are.
        default_weights: of the backbone; None for a network that has no such weights.
        alpha: share of MobileNetV2's usual channels that the backbone has.
        own_statistics: the backbone's batch normalization learns from smears.
        task: out of `edge.labels.TASKS`, whose classes the images must be of; None for any.
        cell: the square that the network sees around a single cell; None for fields.
    """

    network: str
    side: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    augmentation: tuple[str, ...] = USUAL_AUGMENTATIONS
    head_epochs: int = 0
    frozen_layers: int = 0
    default_weights: str | None = None
    alpha: float = 1.0
    own_statistics: bool = False
    task: str | None = None
    cell: CellCrop | None = None


RECIPES: dict[str, Recipe] = {
    recipe.network: recipe
    for recipe in (
        Recipe("custom-cnn", 224, 45, 16, 2e-3, 1e-3),
        Recipe("custom-cnn-paper", 128, 30, 32, 5e-4, 1e-3),
        Recipe(
            "mobilenet-v2",
            224,
            12,
            32,
            4e-4,
            1e-4,
            head_epochs=30,
            frozen_layers=54,
            default_weights="imagenet",
        ),
        Recipe(
            "fast",
            112,
            40,
            32,
            1e-3,
            1e-4,
            head_epochs=30,
            default_weights="imagenet",
            alpha=0.35,
            own_statistics=True,
        ),
        Recipe(
            "cell",
            96,
            14,
            32,
            1e-3,
            1e-4,
            # Noise and blur would colour the black around the cell.
            ("turn", "stain", "exposure", "white-balance"),
            head_epochs=30,
            default_weights="imagenet",
            own_statistics=True,
            task="binary",
            # A third of it is the input: whole blocks of pixels, and all but the largest cells.
            cell=CellCrop(288, 450),
        ),
    )
}


def find_recipe(network: str) -> Recipe:
    """Return a network's recipe.

    Raises:
        TrainingError: there is no such network.
    """
    if network not in RECIPES:
        raise TrainingError(
            f"The network is one of {', '.join(RECIPES)}",
            got=network,
            next_step="Choose one of them",
        )
    return RECIPES[network]
