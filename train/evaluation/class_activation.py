"""Class activation maps: which part of an image speaks for a class.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, equations 1 and 2. Where one dense layer follows global average pooling
it is the same as Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from edge.errors import TrainingError
from train.evaluation.folding import all_layers
from train.evaluation.head import Head, read_head
from train.fitting import predict

#: Images per step.
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class ClassActivation:
    """A network cut in two at its last feature map.

    Attributes:
        features: takes what the network takes; gives the feature map (batch, height, width,
            channels).
        head: what follows.
    """

    features: keras.Model
    head: Head

    @property
    def map_size(self) -> tuple[int, int]:
        """Height and width of the feature map in positions."""
        height, width = self.features.output_shape[1:3]
        return int(height), int(width)

    def maps(
        self, images: NDArray[np.uint8], classes: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield what speaks for a class in each image.

        Args:
            images: RGB, uint8, shape (n, height, width, 3).
            classes: the class for each image, as a rule the predicted one; int64, shape (n,).

        Yields:
            float32, shape (height, width), 0 or more in units of the logit, enlarged linearly from
            the feature map; all 0 where nothing speaks for the class.
        """
        height, width = images.shape[1:3]
        for start in range(0, len(images), _BATCH):
            batch = slice(start, start + _BATCH)
            features = predict(self.features, images[batch])
            weights = self.head.gradient(features, classes[batch]).mean(axis=(1, 2))
            sums = np.einsum("nhwc,nc->nhw", features, weights)
            for small in np.maximum(sums, 0).astype(np.float32):
                enlarged = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
                yield np.asarray(enlarged, np.float32)


def find_class_activation(network: keras.Model) -> ClassActivation:
    """Cut a network in two at its last feature map.

    Args:
        network: ends in a feature map, GlobalAveragePooling2D or Flatten, and dense layers, as
            those of `train.networks` do. It may hold its backbone as a submodel that takes the
            image as it is.

    Raises:
        TrainingError: the network ends in another way.
    """
    chain = all_layers(network)
    cuts = [
        index
        for index, layer in enumerate(chain)
        if isinstance(layer, keras.layers.GlobalAveragePooling2D | keras.layers.Flatten)
    ]
    if not cuts:
        raise _no_map("neither")
    tail = chain[cuts[-1] :]
    head = read_head(tail)
    owner = _owner(network, tail[0])
    feature_map = tail[0].input
    if len(feature_map.shape) != 4:
        raise _no_map(f"one after a tensor of shape {feature_map.shape}")
    return ClassActivation(keras.Model(owner.inputs, feature_map), head)


def _owner(network: keras.Model, layer: keras.layers.Layer) -> keras.Model:
    """Return the model that a layer lies in, which must take the image as it is."""
    before: Sequence[keras.layers.Layer] = []
    for one in network.layers:
        if one is layer:
            return network
        if isinstance(one, keras.Model) and layer in all_layers(one):
            if any(not isinstance(other, keras.layers.InputLayer) for other in before):
                raise _no_map("a submodel with layers before it")
            return _owner(one, layer)
        before = [*before, one]
    raise _no_map("neither")


def _no_map(got: str) -> TrainingError:
    return TrainingError(
        "Class activation needs a network with GlobalAveragePooling2D or Flatten after its last "
        "feature map",
        got=got,
        next_step="Leave --cam out for this network",
    )
