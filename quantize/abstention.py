"""When a model is not to answer: limits fitted on images that trained nothing.

What is fitted is carried in the model file, and `edge.decision` holds each frame against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from edge.classifier import read_embedding
from edge.domain import Domain, read_domain
from edge.errors import QuantizationError
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter
from edge.quality import QualityLimits
from train.quality.fitting import fit_limits
from train.splits.split import Split

#: The share of images like those of the training whose true class may be missing among the likely.
ERROR_RATE = 0.01

#: The share of them that may be taken for something else.
REFUSED_SHARE = 0.01

#: Images that are spoiled to see what a bad field measures.
MOST_SPOILED = 200

#: How many directions of the embedding are looked at one by one.
DIRECTIONS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Abstention:
    """What a model carries about when not to answer.

    Attributes:
        card: the section `answer` of its card.
        domain: what lies in its file beside the card.
    """

    card: dict[str, Any]
    domain: bytes


def fit_abstention(
    content: bytes,
    images: NDArray[np.uint8],
    targets: NDArray[np.int64],
    split: Split,
    fields: NDArray[np.uint8] | None,
    seed: int,
) -> Abstention:
    """Fit when an int8 network is not to answer.

    Limits of quality are those of the training part, and of copies of it that are spoiled. The
    domain is that of the training part's embeddings; its limit and that of probabilities are
    fitted on the validation part, which the test part has nothing to do with.

    Args:
        content: the TFLite model, uint8 in and out.
        images: RGB, uint8, shape (n, side, side, 3), at the network's input size.
        targets: their classes; int64, shape (n,).
        split: of these images, in their order.
        fields: the same images as their quality is measured: RGB, uint8, shape
            (n, `edge.quality.MEASURED_SIDE`, `edge.quality.MEASURED_SIDE`, 3); None for single
            cells on black, of which light and focus say nothing.
        seed: of what is random in spoiling some of them.

    Raises:
        QuantizationError: the network does not end in a dense layer.
    """
    tensor = find_embedding(content)
    interpreter = Interpreter(with_outputs(content, [tensor]), "just quantized", outputs=2)
    train_part, held_out = split.indices("train"), split.indices("validation")
    embeddings, _ = _run(interpreter, images[train_part])
    seen, scores = _run(interpreter, images[held_out])
    quality = None
    if fields is not None:
        quality = fit_limits(fields[train_part], seed, {"part": "train"}, MOST_SPOILED)
    return assemble_abstention(
        tensor,
        quality,
        Embedded(embeddings, targets[train_part]),
        Embedded(seen, targets[held_out]),
        scores,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The embeddings of one part of a split.

    Attributes:
        embeddings: float32, shape (n, length).
        targets: the images' classes; int64, shape (n,).
    """

    embeddings: NDArray[np.float32]
    targets: NDArray[np.int64]


def assemble_abstention(
    tensor: int,
    quality: QualityLimits | None,
    trained: Embedded,
    held_out: Embedded,
    scores: NDArray[np.float64],
) -> Abstention:
    """Fit when an int8 network is not to answer, where its embeddings are known.

    Args:
        tensor: of the graph, with the embedding.
        quality: limits of quality; None where light and focus say nothing.
        trained: of the training part.
        held_out: of the validation part.
        scores: probabilities of the validation part; float64, shape (n, classes).
    """
    classes = scores.shape[1]
    fitted = fit_domain(trained.embeddings, trained.targets, classes, DIRECTIONS)
    length, directions = trained.embeddings.shape[1], len(fitted.axes)
    stored = fitted.to_bytes()
    # The limit belongs to the numbers as they are stored.
    domain = read_domain(stored, length, directions, classes)
    distances = np.array([domain.distance(one) for one in held_out.embeddings])
    n = len(held_out.targets)
    least = conformal_limit(scores[np.arange(n), held_out.targets], ERROR_RATE)
    about = {"part": "validation", "n": n}
    return Abstention(
        {
            **({} if quality is None else {"quality": quality.as_json()}),
            "conformal": {"error_rate": ERROR_RATE, "least_probability": least, **about},
            "domain": {
                "tensor": tensor,
                "length": length,
                "directions": directions,
                "most_distance": conformal_limit(distances, REFUSED_SHARE, upper=True),
                "refused_share": REFUSED_SHARE,
                **about,
            },
        },
        stored,
    )


def conformal_limit(
    values: NDArray[np.float64], error_rate: float, *, upper: bool = False
) -> float:
    """Return the limit beyond which another value is with a chosen probability at most.

    The k-th value from the far end, k = floor(error_rate (n + 1)): Vovk, Gammerman and Shafer,
    "Algorithmic Learning in a Random World", 2005; as in Angelopoulos and Bates, "A Gentle
    Introduction to Conformal Prediction", arXiv 2107.07511. Where there are too few values for
    that rate, it is the furthest one, which fewer are beyond than with probability 1 / (n + 1).

    Args:
        values: of images like those to come; float64, shape (n,), n above 0.
        error_rate: the share of others that may be beyond, above 0 and below 1.
        upper: beyond is above; else it is below.
    """
    ordered = np.sort(values)[::-1] if upper else np.sort(values)
    return float(ordered[max(1, math.floor(error_rate * (len(values) + 1))) - 1])


def fit_domain(
    embeddings: NDArray[np.float32], targets: NDArray[np.int64], classes: int, directions: int
) -> Domain:
    """Describe where the embeddings of a training lie.

    Args:
        embeddings: float32, shape (n, length), n above `classes`.
        targets: their classes, each there at least once; int64, shape (n,).
        classes: how many there are.
        directions: how many to look at one by one; fewer where the embeddings span fewer.
    """
    values = embeddings.astype(np.float64)
    mean = values.mean(axis=0)
    centred = values - mean
    axes = _principal_axes(centred, directions)
    along = centred @ axes.T
    centres = np.array([along[targets == target].mean(axis=0) for target in range(classes)])
    within = along - centres[targets]
    # Turned so that there is no correlation within a class, and deviations alone say it all.
    variances, turn = np.linalg.eigh(within.T @ within / max(1, len(values) - classes))
    outside = (centred**2).sum(axis=1) - (along**2).sum(axis=1)
    largest = float(np.sqrt(variances.max()))
    return Domain(
        mean.astype(np.float32),
        (turn.T @ axes).astype(np.float32),
        np.maximum(np.sqrt(np.maximum(variances, 0.0)), 1e-2 * largest).astype(np.float32),
        (centres @ turn).astype(np.float32),
        max(float(np.sqrt(np.maximum(outside, 0.0).mean())), 1e-2 * largest),
    )


def _principal_axes(centred: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the directions in which rows vary most, the strongest first; shape (axes, length).

    From the moments, since all but a few singular vectors would be computed for nothing: for 1,848
    embeddings of 1,280 numbers that takes a tenth of the time.
    """
    # Several threads that find no free core wait for one another longer than one computes.
    with threadpool_limits(1):
        length = centred.shape[1]
        strengths, axes = eigh(
            centred.T @ centred, subset_by_index=(max(0, length - most), length - 1)
        )
    spanned = strengths > 1e-12 * strengths[-1]
    return np.asarray(axes[:, spanned].T[::-1], np.float64)


def find_embedding(content: bytes) -> int:
    """Return the number of the tensor that a network's last dense layer takes.

    Args:
        content: a TFLite model.

    Raises:
        QuantizationError: it has no dense layer.
    """
    return find_last_dense(content)[0]


def find_last_dense(content: bytes) -> tuple[int, int]:
    """Return the numbers of the tensors that a network's last dense layer takes and gives.

    Args:
        content: a TFLite model.

    Raises:
        QuantizationError: it has no dense layer.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content))
    graph = model.subgraphs[0]
    dense = [
        operator
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode
        == schema.BuiltinOperator.FULLY_CONNECTED
    ]
    if not dense:
        raise QuantizationError(
            "A network ends in a dense layer, whose input is the embedding",
            got="none",
            next_step="Train one of blastscope's own networks",
        )
    return int(dense[-1].inputs[0]), int(dense[-1].outputs[0])


def _run(
    interpreter: Interpreter, images: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return embeddings and probabilities, a row for each image."""
    spec = interpreter.output
    embeddings, scores = [], []
    for image in images:
        interpreter.input_view()[...] = image
        interpreter.invoke()
        embeddings.append(read_embedding(interpreter))
        scores.append((interpreter.output_view().astype(np.float64) - spec.zero_point) * spec.scale)
    return np.array(embeddings, np.float32), np.array(scores)
