"""Where a network looks, over all images of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import TrainingError
from train.evaluation.activation_energy import activation_energy
from train.evaluation.class_activation import ClassActivation, find_class_activation
from train.evaluation.evaluation import Evaluation
from train.image_set import Progress


def explain(
    evaluation: Evaluation, progress: Progress | None = None
) -> tuple[ClassActivation, dict[str, Any]]:
    """Work out the class activation of each image's predicted class, and where it lies.

    Args:
        evaluation: of a float network.
        progress: called with (images done, images in all).

    Returns:
        What draws further maps; and what `train.evaluation.activation_energy` returns, with
        `feature_map`, the height and width of the last feature map in positions.

    Raises:
        TrainingError: the network ends in a way that has no class activation.
    """
    if evaluation.model.network is None:
        raise TrainingError(
            "Class activation is that of a network's last layers",
            got="a pipeline of features, which has none",
            next_step="Leave --cam out, or evaluate a run folder",
        )
    activation = find_class_activation(evaluation.model.network)
    images = evaluation.images
    predicted = evaluation.scores.argmax(axis=1).astype(np.int64)
    maps = _counted(activation.maps(images, predicted), len(images), progress)
    energy = activation_energy(images, maps, evaluation.groups)
    return activation, {**energy, "feature_map": list(activation.map_size)}


def _counted(
    maps: Iterable[NDArray[np.float32]], total: int, progress: Progress | None
) -> Iterator[NDArray[np.float32]]:
    for done, one in enumerate(maps, start=1):
        yield one
        if progress is not None:
            progress(done, total)
