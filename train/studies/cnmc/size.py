"""What a cell's size alone tells of its class."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from edge.cell_crop import BLACK
from train.image_set import ImageSet

#: What the tables call it.
SIZE: Final = "size alone"


def score_by_size(
    image_set: ImageSet, fitted_on: NDArray[np.int64], chosen: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return class probabilities by logistic regression on the square root of the cell's area.

    Args:
        image_set: cells on black, all at one scale.
        fitted_on: positions of the images to fit on; int64.
        chosen: positions of the images to score; int64, shape (n,).

    Returns:
        float32, shape (n, classes).
    """
    areas = np.array([np.count_nonzero(one.max(axis=2) > BLACK) for one in image_set.images])
    sides = np.sqrt(areas.astype(np.float64))[:, None]
    # As many of each class, so that the rarer one is not given up.
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    pipeline.fit(sides[fitted_on], image_set.targets[fitted_on])
    return np.asarray(pipeline.predict_proba(sides[chosen]), np.float32)
