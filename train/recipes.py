"""How each network is trained, unless the command line says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.cell_crop import CellCrop
from edge.errors import TrainingError
from train.augmentation.names import AUGMENTATIONS

#: "channel" is a rougher form of what "stain" does, there for comparison; "rotation" is for single
#: cells.
USUAL_AUGMENTATIONS = tuple(name for name in AUGMENTATIONS if name not in ("channel", "rotation"))

Optimizer = Literal["adamw", "muon"]


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
        weight_decay: the share of each weight that a step takes off, over the step's rate.
        augmentation: names out of `train.augmentation.names.AUGMENTATIONS`.
        head_epochs: passes over the features of a frozen backbone, before fine-tuning.
        frozen_layers: how many of the backbone's first layers stay as they are.
        default_weights: of the backbone; None for a network that has no such weights.
        task: out of `edge.labels.TASKS`, whose classes the images must be of; None for any.
        cell: the square that the network sees around a single cell; None for fields.
        piece: height and width in pixels of the random piece of each image that a training step
            sees; None for whole images, as a network that learns from a teacher has them too.
        optimizer: "adamw"; or "muon", whose steps suit plain convolutions.
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
    task: str | None = None
    cell: CellCrop | None = None
    piece: int | None = None
    optimizer: Optimizer = "adamw"

    def rates(self) -> dict[str, str | float | None]:
        """Return what else decides the steps of its fitting, as a run folder keeps it."""
        return {
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "batch_size": self.batch_size,
            "piece": self.piece,
        }


RECIPES: dict[str, Recipe] = {
    recipe.network: recipe
    for recipe in (
        Recipe("custom-cnn", 224, 56, 16, 3e-3, 1e-2, piece=160, optimizer="muon"),
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
        Recipe("fast", 224, 120, 16, 3e-3, 1e-2, piece=160, optimizer="muon"),
        Recipe(
            "cell",
            144,
            120,
            16,
            3e-3,
            1e-2,
            # Stains and light are evened out in such sets; noise and blur would colour the black.
            ("turn", "rotation"),
            task="binary",
            # Half of it is the input: whole blocks of pixels, and all but the largest cells.
            cell=CellCrop(288, 450),
            optimizer="muon",
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
