"""How unlike the images of its training a frame is to a network.

The network's embedding (what its last layer sees) of a training image lies near those of its class.
The distance that is worked out here is that of Lee et al., "A Simple Unified Framework for
Detecting Out-of-Distribution Samples and Adversarial Attacks" (NeurIPS 2018): Mahalanobis's, to the
nearest class, with one covariance for all; in the few directions that hold most of the variance.
What lies outside of them adds to it, as in Wang et al., "ViM: Out-of-Distribution with
Virtual-logit Matching" (CVPR 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelFileError

_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """The embeddings that a network was trained with, in few numbers.

    Attributes:
        mean: of all embeddings; float32, shape (length,).
        axes: orthonormal directions in which the embeddings of one class vary without
            correlation; float32, shape (directions, length).
        deviations: standard deviation within a class along each, above 0; float32, shape
            (directions,).
        centres: of each class along the axes, from the mean; float32, shape
            (classes, directions).
        rest: standard deviation of what lies outside the axes: root of the mean squared length;
            above 0.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    deviations: NDArray[np.float32]
    centres: NDArray[np.float32]
    rest: float

    def distance(self, embedding: NDArray[np.float32] | NDArray[np.int8]) -> float:
        """Return how far an embedding is from those of the nearest class.

        Args:
            embedding: shape (length,), in the units of `mean`.

        Returns:
            The mean over the directions of the squared distance in standard deviations, and the
            squared length of the rest in its own; about 2 for a training image.
        """
        # A mean of float32 makes float32 of whole numbers.
        centred = embedding - self.mean
        # Not by `@`, whose threads would take longer to start than so small a product.
        along = np.einsum("ij,j->i", self.axes, centred)
        steps = (along - self.centres) / self.deviations
        nearest = float(np.einsum("ij,ij->i", steps, steps).min()) / len(self.axes)
        # Rounding of the axes may leave less than nothing.
        outside = max(0.0, float(centred @ centred - along @ along))
        return nearest + outside / self.rest**2

    def in_stored_units(self, scale: float, zero_point: int) -> Domain:
        """Return the same domain for embeddings as a quantized network stores them.

        Its distances are the same: no embedding need be turned into real values first.

        Args:
            scale: the step between two stored values, above 0.
            zero_point: the stored value that stands for 0.
        """
        step = np.float32(scale)
        return Domain(
            self.mean / step + np.float32(zero_point),
            self.axes,
            self.deviations / step,
            self.centres / step,
            self.rest / scale,
        )

    def to_bytes(self) -> bytes:
        """Return the numbers as they lie in a model file: 16-bit floats, one after the other."""
        numbers = [
            np.array([self.rest], np.float32),
            self.mean,
            self.axes.ravel(),
            self.deviations,
            self.centres.ravel(),
        ]
        return np.concatenate(numbers).astype(_STORED).tobytes()


def stored_bytes(length: int, directions: int, classes: int) -> int:
    """Return how many bytes a domain takes in a model file."""
    return _STORED.itemsize * (1 + length + directions * (length + 1 + classes))


def read_domain(data: bytes, length: int, directions: int, classes: int) -> Domain:
    """Read what `Domain.to_bytes` wrote.

    Args:
        data: the bytes.
        length: of an embedding.
        directions: how many axes there are.
        classes: how many classes there are.

    Raises:
        ModelFileError: there are too few or too many numbers, or some that cannot be.
    """
    wanted = stored_bytes(length, directions, classes)
    if len(data) != wanted:
        raise _damaged(f"{len(data)} bytes in place of {wanted}")
    numbers = np.frombuffer(data, _STORED).astype(np.float32)
    sizes = (1, length, directions * length, directions, directions * classes)
    rest, mean, axes, deviations, centres = np.split(numbers, np.cumsum(sizes)[:-1])
    if not np.isfinite(numbers).all() or rest[0] <= 0 or (deviations <= 0).any():
        raise _damaged("numbers that are no numbers, or deviations that are not above 0")
    return Domain(
        mean,
        axes.reshape(directions, length),
        deviations,
        centres.reshape(classes, directions),
        float(rest[0]),
    )


def _damaged(got: str) -> ModelFileError:
    return ModelFileError(
        "A model's domain must be as its card describes it",
        got=got,
        next_step="Make the model again with `blastscope quantize RUN --out FILE`",
    )
