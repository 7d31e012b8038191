"""The features of an image set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import DatasetError
from train.deep_features.backbones import (
    Backbone,
    Extractor,
    build_backbone,
    column_name,
    make_extractor,
)
from train.deep_features.feature_store import FeatureStore, feature_folder, features_key
from train.deep_features.weights import Weights
from train.image_decoding import Progress
from train.image_set import ImageSet

#: Constant columns that an error names before it only counts them.
_NAMED = 8


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What a backbone gives for the images of a set.

    Attributes:
        backbone: its name.
        source: of its weights, as `train.deep_features.weights.Weights.source` has it.
        key: of the features, as `train.deep_features.feature_store.features_key` makes it.
        columns: which of the backbone's features these are; int64, shape (columns,).
        values: float32, shape (n, columns).
    """

    backbone: str
    source: str
    key: str
    columns: NDArray[np.int64]
    values: NDArray[np.float32]

    @property
    def name(self) -> str:
        """What tables call it."""
        return column_name(self.backbone, self.source)


def extract_features(
    image_set: ImageSet, backbone: Backbone, weights: Weights, progress: Progress | None = None
) -> Features:
    """Return a backbone's features for a set, from the store where they are there already.

    The network is built only if there is something to compute.

    Args:
        image_set: n images at the backbone's input size.
        backbone: one of `train.deep_features.backbones.BACKBONES`.
        weights: its weights.
        progress: called with (images done, images in all).

    Raises:
        TrainingError: the weights cannot be had, or belong to another network.
    """
    key = features_key(backbone.builder, backbone.side, "avg", backbone.module, weights.identity)
    store = FeatureStore(feature_folder(), key, backbone.features)
    built: list[Extractor] = []

    def compute(places: NDArray[np.int64]) -> NDArray[np.float32]:
        if not built:
            built.append(make_extractor(backbone, build_backbone(backbone, weights)))
        return built[0](image_set.images[places])

    values = store.fill(image_set.digests, compute, progress)
    return Features(
        backbone.name, weights.source, key, np.arange(values.shape[1], dtype=np.int64), values
    )


def without_constants(features: Features, *, drop: bool) -> Features:
    """Refuse features that are the same for all images, or leave them out.

    Args:
        features: of n images.
        drop: leave them out.

    Raises:
        DatasetError: there are some and they are not to be left out, or nothing would be left.
    """
    varies = features.values.max(axis=0) > features.values.min(axis=0)
    if varies.all():
        return features
    constant = features.columns[~varies]
    shown = ", ".join(map(str, constant[:_NAMED])) + (", ..." if len(constant) > _NAMED else "")
    if not drop or not varies.any():
        everything = "; check its weights and the images" if not varies.any() else ""
        raise DatasetError(
            "A feature that is selected among differs between images",
            got=f"{len(constant)} of {len(varies)} features of {features.name} that are the same "
            f"for all {len(features.values)} images (columns {shown}){everything}",
            next_step="Leave them out with --drop-constant; what was computed is kept",
        )
    return Features(
        features.backbone,
        features.source,
        features.key,
        features.columns[varies],
        np.ascontiguousarray(features.values[:, varies]),
    )
