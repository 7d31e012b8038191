"""Accuracy on degraded, recoloured and altered images, beside that on the images as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from train.image_set import Progress
from train.robustness.catalogue import DEGRADATIONS
from train.robustness.degradation import SEVERITIES, degrade
from train.robustness.laboratory_shift import shift_laboratory
from train.robustness.material import Material, predict_classes
from train.robustness.outcome import Outcome, compare, mean_interval
from train.robustness.scale_bar import blank_corner, swap_corner
from train.robustness.tolerance import Tolerance, tolerance

#: What is not a degradation and has one strength only, in the order of the tables.
ALTERATIONS = ("laboratory shift", "corner blanked", "corner swapped")


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """One model's results.

    Attributes:
        clean: the outcome on the images as they are.
        degradations: for each degradation's name, the outcome at severities 1 to 5.
        alterations: for each of `ALTERATIONS`, its outcome; "corner swapped" is absent where all
            images are of one class.
        tolerances: for each degradation's name, how far it can go.
        mean_corruption_accuracy: mean over degradations and severities, in 0..1: the complement of
            the unnormalized mean corruption error of Hendrycks & Dietterich, "Benchmarking neural
            network robustness to common corruptions and perturbations", ICLR 2019.
        mean_corruption_accuracy_ci95: bootstrap interval.
    """

    clean: Outcome
    degradations: dict[str, tuple[Outcome, ...]]
    alterations: dict[str, Outcome]
    tolerances: dict[str, Tolerance]
    mean_corruption_accuracy: float
    mean_corruption_accuracy_ci95: tuple[float, float]


def measure(
    material: Material, *, seed: int = 0, progress: Progress | None = None
) -> dict[str, Robustness]:
    """Score every model on every alteration of the images.

    Args:
        material: models and images.
        seed: of all that is random in the alterations and intervals.
        progress: called with (alterations scored, alterations in all).

    Returns:
        For each model's name, its results.

    Raises:
        DatasetError: a model knows another number of classes than the data has.
    """
    predicted: dict[str, dict[str, list[NDArray[np.int64]]]] = {
        name: {} for name in material.models
    }
    todo = list(_alterations(material, seed))
    for done, (key, alter) in enumerate(todo, start=1):
        images = alter()
        for name, model in material.models.items():
            classes = predict_classes(model, images, material.labels)
            predicted[name].setdefault(key, []).append(classes)
        if progress is not None:
            progress(done, len(todo))
    return {name: _summarize(material, rows, seed) for name, rows in predicted.items()}


def _alterations(
    material: Material, seed: int
) -> Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]:
    """Yield the name of each alteration and what makes its images, the clean ones first."""
    images = material.images
    yield "clean", lambda: images
    yield "laboratory shift", partial(shift_laboratory, images, seed)
    yield "corner blanked", partial(blank_corner, images)
    if len(np.unique(material.targets)) > 1:
        yield "corner swapped", partial(swap_corner, images, material.targets, seed)
    for degradation in DEGRADATIONS:
        for severity in SEVERITIES:
            yield degradation.name, partial(degrade, images, degradation, severity, seed)


def _summarize(
    material: Material, predicted: dict[str, list[NDArray[np.int64]]], seed: int
) -> Robustness:
    targets = material.targets
    before = predicted["clean"][0]
    outcomes = {
        name: tuple(compare(classes, before, targets) for classes in rows)
        for name, rows in predicted.items()
    }
    degradations = {one.name: outcomes[one.name] for one in DEGRADATIONS}
    right = np.mean([one.right for rows in degradations.values() for one in rows], axis=0)
    clean = outcomes["clean"][0]
    return Robustness(
        clean=clean,
        degradations=degradations,
        alterations={name: outcomes[name][0] for name in ALTERATIONS if name in outcomes},
        tolerances={
            one.name: tolerance(
                one, clean.accuracy, [row.accuracy for row in degradations[one.name]]
            )
            for one in DEGRADATIONS
        },
        mean_corruption_accuracy=float(right.mean()),
        mean_corruption_accuracy_ci95=mean_interval(right, material.clusters, seed),
    )
