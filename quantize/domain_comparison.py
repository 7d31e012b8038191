"""Ways to tell that a frame is unlike the training images, compared on one run.

    python -m quantize.domain_comparison RUN MODEL.tflite --foreign FOLDER --foreign FOLDER

Each way's limit refuses a hundredth of the validation part, as in a model file. What it refuses of
the test part is its price, and what it refuses of images from elsewhere is what it is for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from edge.cli.main import run
from edge.cli.options import MODEL, PATH, json_option, print_json, progress_bar, table
from edge.graph_outputs import with_outputs
from edge.interpreter import Interpreter
from edge.model_file import ModelFile, read_model_file
from edge.preprocess import preprocess
from quantize.abstention import (
    DIRECTIONS,
    REFUSED_SHARE,
    conformal_limit,
    find_last_dense,
    fit_domain,
)
from quantize.run_images import read_run_images
from train.evaluation.intervals import wilson_interval
from train.quality.foreign import read_foreign
from train.run_folder import RunFolder


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a network makes of some images.

    Attributes:
        embeddings: float32, shape (n, length).
        logits: float32, shape (n, classes).
    """

    embeddings: NDArray[np.float32]
    logits: NDArray[np.float32]


#: Gives a number for each image, the higher the less like the training.
Score = Callable[[Seen], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Row:
    """One way on one set of images.

    Attributes:
        way: its name.
        images: the set's name.
        n: how many there are.
        refused: how many are beyond the limit.
        ci95: Wilson's interval of the share refused.
        auroc: the chance that one of them scores above one of the test part; None for that itself.
    """

    way: str
    images: str
    n: int
    refused: int
    ci95: tuple[float, float]
    auroc: float | None


def ways(train: Seen, targets: NDArray[np.int64], classes: int) -> dict[str, Score]:
    """Return the scores that are compared, fitted on the training part.

    Args:
        train: the training part.
        targets: its classes; int64, shape (n,).
        classes: how many there are.
    """
    domain = fit_domain(train.embeddings, targets, classes, DIRECTIONS)
    centres = np.array([train.embeddings[targets == one].mean(axis=0) for one in range(classes)])

    def all_of(seen: Seen) -> NDArray[np.float64]:
        return np.array([domain.distance(one) for one in seen.embeddings])

    def along(seen: Seen) -> NDArray[np.float64]:
        steps = (seen.embeddings - domain.mean) @ domain.axes.T
        away = (steps[:, None] - domain.centres[None]) / domain.deviations
        return np.asarray((away**2).mean(axis=2).min(axis=1), np.float64)

    def nearest(seen: Seen) -> NDArray[np.float64]:
        away = ((seen.embeddings[:, None] - centres[None]) ** 2).sum(axis=2)
        return np.asarray(away.min(axis=1), np.float64)

    def energy(seen: Seen) -> NDArray[np.float64]:
        return np.asarray(-np.logaddexp.reduce(seen.logits.astype(np.float64), axis=1))

    def unsure(seen: Seen) -> NDArray[np.float64]:
        return np.asarray(-np.exp(seen.logits.max(axis=1) + energy(seen)))

    return {
        f"Mahalanobis in {DIRECTIONS} directions, and the rest (used)": all_of,
        f"Mahalanobis in {DIRECTIONS} directions alone": along,
        "nearest class mean": nearest,
        # Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020, equation 4.
        "energy": energy,
        # Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
        # Examples in Neural Networks", ICLR 2017.
        "highest probability": unsure,
    }


def compare(
    train: Seen,
    targets: NDArray[np.int64],
    validation: Seen,
    test: Seen,
    foreign: dict[str, Seen],
) -> list[Row]:
    """Hold every way against every set.

    Args:
        train: the training part.
        targets: its classes; int64, shape (n,).
        validation: the part that limits come from.
        test: the part that ought not to be refused.
        foreign: sets that ought to be, by name.
    """
    from sklearn.metrics import roc_auc_score

    rows = []
    for way, score in ways(train, targets, test.logits.shape[1]).items():
        limit = conformal_limit(score(validation), REFUSED_SHARE, upper=True)
        usual = score(test)
        for name, seen in {"test part": test, **foreign}.items():
            values = score(seen)
            refused = int((values > limit).sum())
            auroc = None
            if seen is not test:
                truth = np.r_[np.zeros(len(usual)), np.ones(len(values))]
                auroc = float(roc_auc_score(truth, np.r_[usual, values]))
            interval = wilson_interval(refused, len(values))
            rows.append(Row(way, name, len(values), refused, interval, auroc))
    return rows


def look(model: ModelFile, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> Seen:
    """Run an int8 network on images.

    Args:
        model: a model file that ends in a dense layer and a softmax.
        images: RGB, uint8, shape (any, any, 3) each.

    Raises:
        QuantizationError: the network does not end in a dense layer.
    """
    graph = bytes(memoryview(model.content)[: model.graph_bytes])
    added = find_last_dense(graph)
    interpreter = Interpreter(with_outputs(graph, added), str(model.path), 1, outputs=3)
    embeddings: list[NDArray[np.float32]] = []
    logits: list[NDArray[np.float32]] = []
    for image in images:
        preprocess(image, model.height, model.width, out=interpreter.input_view())
        interpreter.invoke()
        for place, kept in ((1, embeddings), (2, logits)):
            spec = interpreter.outputs[place]
            stored = interpreter.output_view(place).astype(np.float32)
            kept.append((stored - np.float32(spec.zero_point)) * np.float32(spec.scale or 1.0))
    return Seen(np.array(embeddings, np.float32), np.array(logits, np.float32))


@click.command()
@click.argument("run_path", metavar="RUN", type=PATH)
@click.argument("model_path", metavar="MODEL", type=MODEL)
@click.option("--foreign", "folders", type=PATH, multiple=True, required=True, metavar="DIR")
@click.option("--data", type=PATH, help="The run's images, where they have moved since training.")
@json_option
def main(
    run_path: Path, model_path: Path, folders: tuple[Path, ...], data: Path | None, as_json: bool
) -> None:
    """Compare ways to tell images from elsewhere, by a model and the run that it was made from."""
    folder = RunFolder(run_path)
    config, split = folder.read_config(), folder.read_split()
    model = read_model_file(model_path)
    with progress_bar("Reading images") as show:
        images, targets = read_run_images(config, split, data, show)
    train, validation, test = (
        look(model, images[split.indices(part)]) for part in ("train", "validation", "test")
    )
    foreign = {one.name: look(model, read_foreign(one)) for one in folders}
    rows = compare(train, targets[split.indices("train")], validation, test, foreign)
    if as_json:
        print_json([asdict(row) for row in rows], indent=2)
        return
    header = ["way", "images", "n", "refused", "95 % interval", "AUROC"]
    cells = [
        [
            row.way,
            row.images,
            f"{row.n:,}",
            f"{row.refused / row.n:.1%}",
            f"{row.ci95[0]:.1%} to {row.ci95[1]:.1%}",
            "–" if row.auroc is None else f"{row.auroc:.4f}",
        ]
        for row in rows
    ]
    click.echo(f"{model.model_id}; {split.caveat}")
    click.echo(table(header, cells))


if __name__ == "__main__":
    sys.exit(run(command=main))
