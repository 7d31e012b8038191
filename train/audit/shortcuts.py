"""What tells the classes of an image set without looking at cells.

Each shortcut is a handful of numbers in which a set's acquisition shows: colour, a corner, the
background, the file's own outside. If two plain classifiers tell the classes by them, then so can a
network, and its accuracy does not show that it has learnt cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from edge.errors import DatasetError, ImageFileError, SplitError
from train.audit.container import Container, read_container
from train.audit.white_cells import background_mask
from train.evaluation.metrics import wilson_interval
from train.image_set import ImageSet
from train.robustness.scale_bar import corner_size

#: Height and width that the corner is reduced to before it is compared, in pixels.
_REDUCED_CORNER = (9, 12)

#: What each shortcut looks at.
SHORTCUTS: dict[str, str] = {
    "colour": "mean and standard deviation of red, green and blue: six numbers",
    "corner": "the bottom right corner alone, 48 x 34 of 224 x 224 pixels",
    "background": "mean and standard deviation of L*, a* and b* where no white cell is",
    "container": "the file's format, size in bytes and pixels, header length and JPEG "
    "quantization tables",
}

_NEIGHBOURS = 5

#: Classifiers without anything to tune, each on standardized numbers.
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    f"{_NEIGHBOURS} nearest neighbours": lambda: KNeighborsClassifier(_NEIGHBOURS),
    "logistic regression": lambda: LogisticRegression(max_iter=2000),
}

Features = Mapping[str, NDArray[np.float64]]


def shortcut_features(
    image_set: ImageSet, containers: Sequence[Container] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Compute each shortcut's numbers for every image.

    Args:
        image_set: the images.
        containers: what `read_containers` returns; None reads the files again.

    Returns:
        For each name in `SHORTCUTS`, float64, shape (n, numbers).

    Raises:
        DatasetError: a file has gone since the set was read.
    """
    containers = read_containers(image_set) if containers is None else containers
    with ThreadPoolExecutor() as pool:
        return {
            "colour": np.array(list(pool.map(colour_statistics, image_set.images))),
            "corner": np.array(list(pool.map(_corner_pixels, image_set.images))),
            "background": np.array(list(pool.map(_background_statistics, image_set.images))),
            "container": np.array([container.features() for container in containers]),
        }


def read_containers(image_set: ImageSet) -> list[Container]:
    """Read the outside of each image's file.

    Raises:
        DatasetError: a file has gone since the set was read.
    """

    def read(path: str) -> Container:
        try:
            return read_container((image_set.folder / path).read_bytes(), path)
        except (OSError, ImageFileError) as error:
            raise DatasetError(
                "An image set must not change while it is looked at",
                got=f"{path}: {error}",
                next_step="Run it again",
            ) from error

    with ThreadPoolExecutor() as pool:
        return list(pool.map(read, image_set.paths))


def shortcut_baselines(
    image_set: ImageSet, parts: Sequence[str], features: Features | None = None
) -> dict[str, dict[str, Any]]:
    """Score every shortcut with every classifier on the test part of a split.

    The classifiers are fitted on the training and validation parts together, since they have
    nothing to choose by validation.

    Args:
        image_set: the images.
        parts: "train", "validation" or "test" for each image, as the functions in `train.splits`
            return them.
        features: what `shortcut_features` returns, to score several splits without computing it
            again.

    Returns:
        For each "SHORTCUT, CLASSIFIER": `shortcut, classifier, n, accuracy, accuracy_ci95`
        (Wilson) and `balanced_accuracy` (mean sensitivity over the classes present).

    Raises:
        DatasetError: a file has gone since the set was read.
        SplitError: the test part is empty, or there are too few images to fit on.
    """
    features = shortcut_features(image_set) if features is None else features
    test = np.array([part == "test" for part in parts])
    targets = image_set.targets
    fitted_on = targets[~test]
    if not test.any() or len(fitted_on) < _NEIGHBOURS or len(np.unique(fitted_on)) < 2:
        raise SplitError(
            f"Shortcuts need a test part, and {_NEIGHBOURS} images or more in two classes or more "
            "outside it",
            got=f"{int(test.sum())} test images of {len(test)}",
            next_step="Add images",
        )
    reports = {}
    for shortcut, numbers in features.items():
        for classifier, make in CLASSIFIERS.items():
            pipeline: Pipeline = make_pipeline(StandardScaler(), make())
            # Matrices as small as these take ten times as long on several threads.
            with threadpool_limits(1):
                predicted = pipeline.fit(numbers[~test], fitted_on).predict(numbers[test])
            correct, n = int((predicted == targets[test]).sum()), int(test.sum())
            reports[f"{shortcut}, {classifier}"] = {
                "shortcut": shortcut,
                "classifier": classifier,
                "n": n,
                "accuracy": correct / n,
                "accuracy_ci95": list(wilson_interval(correct, n)),
                "balanced_accuracy": float(balanced_accuracy_score(targets[test], predicted)),
            }
    return reports


def colour_statistics(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return mean R, G, B and standard deviation of R, G, B of one image; shape (6,), 0..255."""
    return _mean_and_deviation(image)


def corner(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the bottom right corner of an image, where scale bars are burned in."""
    height, width = corner_size(*image.shape[:2])
    return image[-height:, -width:]


def _corner_pixels(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    reduced = cv2.resize(corner(image), _REDUCED_CORNER[::-1], interpolation=cv2.INTER_AREA)
    return reduced.astype(np.float64).ravel()


def _background_statistics(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    mask = background_mask(image)
    if not mask.any():
        return np.zeros(6)
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    return _mean_and_deviation(lab, mask.astype(np.uint8))


def _mean_and_deviation(
    image: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None
) -> NDArray[np.float64]:
    """Return the mean of each channel, then its standard deviation, where a mask is not 0."""
    return np.concatenate(cv2.meanStdDev(image, mask=mask)).ravel().astype(np.float64)
