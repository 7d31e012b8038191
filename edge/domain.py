"""How unlike the images of its training a frame is to a network.

The network's embedding (what its last layer sees) of a training image lies near those of its class.
The distance that is worked out here is that of Lee et al., "A Simple Unified Framework for
Detecting Out-of-Distribution Samples and Adversarial Attacks" (NeurIPS 2018): Mahalanobis's, to the
nearest class, with one covariance for all; in the few directions that hold most of the variance.
What lies outside of them adds to it, as in Wang et al., "ViM: Out-of-Distribution with
Virtual-logit Matching" (CVPR 2022).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import add

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelFileError

_STORED = np.dtype("<f2")

#: OpenBLAS shares a product of a matrix and a vector among threads from about this many numbers on,
#: which take longer to start than so small a product takes.
_MOST_ALONE = 9_000


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
    _blocks: tuple[NDArray[np.float32], ...] = field(init=False, repr=False)
    _from_mean: list[float] = field(init=False, repr=False)
    _units: list[float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out once what every distance takes."""
        # A deviation is the unit along each axis: the squared distance from a centre is then
        # |steps|^2 - 2 steps . centre + |centre|^2, whose middle is one more row for each class.
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = self.axes / self.deviations[:, None]
            centres = self.centres / self.deviations
            matrix = np.concatenate([scaled, -2 * centres @ scaled]).astype(np.float32)
        rows = max(1, _MOST_ALONE // matrix.shape[1])
        blocks = tuple(matrix[at : at + rows] for at in range(0, len(matrix), rows))
        object.__setattr__(self, "_blocks", blocks)
        object.__setattr__(self, "_from_mean", (centres**2).sum(axis=1).tolist())
        object.__setattr__(self, "_units", (self.deviations**2).tolist())

    def distance(self, embedding: NDArray[np.float32] | NDArray[np.int8]) -> float:
        """Return how far an embedding is from those of the nearest class.

        Args:
            embedding: shape (length,), in the units of `mean`.

        Returns:
            The mean over the directions of the squared distance in standard deviations, and the
            squared length of the rest in its own; about 2 for a training image.
        """
        # In few operations, and Python's own for few numbers: the network has just emptied the
        # processor's cache, and most of the time goes into fetching instructions again.
        centred = embedding.astype(np.float32)
        centred -= self.mean
        products = [value for block in self._blocks for value in block.dot(centred).tolist()]
        count = len(self.axes)
        steps, towards = products[:count], products[count:]
        nearest = sum([step * step for step in steps]) + min(map(add, towards, self._from_mean))
        inside = sum([step * step * unit for step, unit in zip(steps, self._units, strict=True)])
        outside = float(centred.dot(centred)) - inside
        # Rounding may leave less than nothing of both. What is no number stays so.
        near, far = (0.0 if part < 0.0 else float(part) for part in (nearest, outside))
        return near / count + far / self.rest**2

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
