"""Knowledge distillation: a small network learns what a larger one says of each altered image.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531. The
teacher sees each image exactly as the student does, altered in the same way, as Beyer et al. found
to matter ("Knowledge distillation: A good teacher is patient and consistent", CVPR 2022).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from edge.errors import LeakageError, TrainingError
from train.networks.loading import load_network
from train.recipes import Recipe
from train.run_folder import RunFolder
from train.splits.split import Split

#: What both networks' logits are divided by before they are compared.
TEMPERATURE = 2.0

#: Of the comparison in the loss, beside 1 for the classes that people gave.
WEIGHT = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """A trained network to learn from.

    Attributes:
        network: takes normalized images of the student's height and width; gives probabilities.
    """

    network: keras.Model


def digest_teacher(path: Path) -> str:
    """Return the SHA-256 of a teacher's weights, in hexadecimal.

    Args:
        path: its run folder.

    Raises:
        TrainingError: it is no finished run.
    """
    return hashlib.sha256(_finished(path).require_model().read_bytes()).hexdigest()


def load_teacher(path: Path, recipe: Recipe, labels: tuple[str, ...], split: Split) -> Teacher:
    """Load the network of a finished run as a teacher.

    Args:
        path: the run folder.
        recipe: of the student.
        labels: of the student, in the order of its outputs.
        split: of the student's images.

    Raises:
        TrainingError: it is no finished run, or of other classes or an input that does not fit.
        LeakageError: it was trained on images that the student is validated or tested with.
        ModelFileError: its network cannot be read.
    """
    run = _finished(path)
    config = run.read_config()
    if tuple(config.labels) != labels:
        raise TrainingError(
            "A teacher knows the student's classes",
            got=f"{', '.join(config.labels)} in place of {', '.join(labels)}",
            next_step="Train a teacher on the same images",
        )
    if config.side != recipe.side:
        raise TrainingError(
            "A teacher's input is as large as the student's",
            got=f"{config.side} pixels a side, for {recipe.side}",
            next_step="Train mobilenet-v2 as the teacher",
        )
    _refuse_leaks(run.read_split(), split)
    return Teacher(load_network(run.require_model()))


class Distillation(layers.Layer):  # type: ignore[misc, unused-ignore]
    """Add to the loss how far a student's scores are from its teacher's; pass the scores on.

    Args:
        teacher: the network to learn from. It stays as it is.

    Inputs: images as the teacher takes them, and the student's probabilities, float32, shape
    (batch, classes). Output: those probabilities.
    """

    def __init__(self, teacher: keras.Model) -> None:
        super().__init__(dtype="float32")
        teacher.trainable = False
        self._teacher = teacher

    def call(self, images: Any, scores: Any, training: bool = False) -> Any:
        """Compare in training alone."""
        if training:
            wanted = ops.stop_gradient(self._teacher(images, training=False))
            self.add_loss(WEIGHT * divergence(wanted, scores))
        return scores


def divergence(wanted: Any, scores: Any) -> Any:
    """Return the mean Kullback-Leibler divergence of softened scores from those wanted.

    Both are softened by `TEMPERATURE`; the result is multiplied by its square, so that gradients
    stay as large whatever it is (Hinton et al., section 2).

    Args:
        wanted: probabilities; float32, shape (batch, classes).
        scores: probabilities, likewise.

    Returns:
        Nats; a scalar.
    """
    logs = [
        ops.log_softmax(ops.log(ops.clip(ops.cast(one, "float32"), 1e-6, 1.0)) / TEMPERATURE)
        for one in (wanted, scores)
    ]
    each = ops.sum(ops.exp(logs[0]) * (logs[0] - logs[1]), axis=-1)
    return TEMPERATURE**2 * ops.mean(each)


def _finished(path: Path) -> RunFolder:
    run = RunFolder(path)
    if not run.model.is_file():
        raise TrainingError(
            "A teacher is a finished run of `blastscope train`",
            got=f"no {run.model.name} in {path}",
            next_step="Train mobilenet-v2 first, and give its run folder with --teacher",
        )
    return run


def _refuse_leaks(taught: Split, split: Split) -> None:
    """Refuse a teacher whose training images, or copies of them, judge the student."""
    known = {
        digest for digest, part in zip(taught.digests, taught.parts, strict=True) if part == "train"
    }
    rows = list(zip(split.paths, split.digests, split.parts, split.groups, strict=True))
    seen = {group for _, digest, _, group in rows if digest in known}
    leaks = [path for path, _, part, group in rows if part != "train" and group in seen]
    if leaks:
        raise LeakageError(
            "A teacher has seen no image that its student is validated or tested with",
            got=f"{len(leaks)} that it was trained on, such as {leaks[0]}",
            next_step="Train the teacher with the same --split, --fold, --test-fraction and "
            "--seed, or give its split.csv with --split",
        )
