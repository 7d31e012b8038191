"""Embeddings of images by a frozen backbone, on all cores and kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.classifier import read_embedding
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter, default_threads
from edge.preprocess import INPUT_MEAN, INPUT_STD
from quantize.abstention import find_embedding
from quantize.head.frozen_backbone import LENGTH, FrozenBackbone
from train.deep_features.feature_store import FeatureStore, feature_folder
from train.image_decoding import Progress
from train.image_set import ImageSet

_Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """What a backbone gives for n images.

    Attributes:
        int8: of the quantized backbone, as real values; float32, shape (n, LENGTH).
        float32: of the float one; likewise.
        computed: how many images had to go through a backbone.
    """

    int8: NDArray[np.float32]
    float32: NDArray[np.float32]
    computed: int


def embed_images(
    image_set: ImageSet, backbone: FrozenBackbone, progress: Progress | None = None
) -> Embeddings:
    """Return the embeddings of images by both versions of a backbone.

    Args:
        image_set: n images at the backbone's input size.
        backbone: the backbone.
        progress: called with (images done, images in all); both versions count.
    """
    total = 2 * len(image_set)
    computed: set[int] = set()

    def fill(name: str, make: Callable[[], _Embed], before: int) -> NDArray[np.float32]:
        store = FeatureStore(feature_folder(), f"{backbone.key}-{name}", LENGTH)

        workers = _Workers(make)

        def compute(places: NDArray[np.int64]) -> NDArray[np.float32]:
            computed.update(places.tolist())
            return workers.embed(image_set.images[places])

        def told(done: int, _: int) -> None:
            if progress is not None:
                progress(before + done, total)

        return store.fill(image_set.digests, compute, told)

    int8 = fill("int8", lambda: _int8_embedder(backbone.int8), 0)
    float32 = fill("float32", lambda: _float_embedder(backbone.float32), len(image_set))
    if progress is not None:
        progress(total, total)
    return Embeddings(int8, float32, len(computed))


class _Workers:
    """One interpreter for each core, with one thread each: the thriftiest way."""

    def __init__(self, make: Callable[[], _Embed]) -> None:
        self._make = make
        self._embedders: list[_Embed] = []

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the embeddings of images (n, SIDE, SIDE, 3); float32, shape (n, LENGTH)."""
        if not self._embedders:
            self._embedders = [self._make() for _ in range(default_threads())]
        parts = np.array_split(images, len(self._embedders))
        with ThreadPoolExecutor(len(parts)) as pool:
            calls = [
                pool.submit(one, part) for one, part in zip(self._embedders, parts, strict=True)
            ]
            return np.concatenate([call.result() for call in calls])


def _int8_embedder(content: bytes) -> _Embed:
    tensor = find_embedding(content)
    interpreter = Interpreter(with_outputs(content, [tensor]), "the backbone", 1, outputs=2)

    def embed(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.empty((len(images), LENGTH), np.float32)
        for row, image in zip(rows, images, strict=True):
            interpreter.input_view()[...] = image
            interpreter.invoke()
            row[...] = read_embedding(interpreter)
        return rows

    return embed


def _float_embedder(content: bytes) -> _Embed:
    interpreter = Interpreter(content, "the float backbone", 1)

    def embed(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.empty((len(images), LENGTH), np.float32)
        for row, image in zip(rows, images, strict=True):
            view = interpreter.input_view()
            np.subtract(image, np.float32(INPUT_MEAN), out=view)
            view /= np.float32(INPUT_STD)
            del view
            interpreter.invoke()
            row[...] = interpreter.output_view()
        return rows

    return embed
