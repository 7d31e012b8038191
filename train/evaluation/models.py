"""Trained models, float or int8, made ready to score images."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.cell_crop import CellCrop, read_cell_crop
from edge.classifier import Classifier
from edge.errors import ModelFileError
from edge.prediction import Prediction
from train.deep_features import PIPELINE_FILE
from train.run_folder import RunFolder
from train.splits.split import Split

#: Takes RGB uint8 images (n, height, width, 3), returns float32 scores (n, classes).
Scorer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class EvaluationModel:
    """A model made ready to score images.

    Attributes:
        score: takes RGB uint8 images (n, height, width, 3), returns float32 scores (n, classes).
        labels: the classes in the order of the scores; None where the file does not say, as a
            `.keras` file on its own.
        height: input height in pixels.
        width: input width in pixels.
        split: how the run that made it divided its images; None where that is not known.
        data_digest: version of the data that it was trained and tested on; None if not known.
        network: the Keras network; None for an int8 file.
        predict: an int8 file's whole predictions, with decisions, for images as `score` takes them
            and the same fields as their quality is measured (RGB uint8, shape (n, side, side, 3),
            side `edge.quality.MEASURED_SIDE`); None for a float network, which decides nothing.
        origin: what the file tells of its training, such as seed and split, by name.
        cell: the square that it sees around a single cell; None for one that looks at fields.
    """

    score: Scorer
    labels: tuple[str, ...] | None
    height: int
    width: int
    split: Split | None
    data_digest: str | None = None
    network: Any = None
    predict: Callable[[NDArray[np.uint8], NDArray[np.uint8]], Sequence[Prediction]] | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    cell: CellCrop | None = None


def load_evaluation_model(path: Path) -> EvaluationModel:
    """Load a run folder, a pipeline of deep features, a `.keras` file or a `.tflite` file.

    All but the last need Keras.

    Args:
        path: the model.

    Raises:
        ModelFileError: the file is no such model.
        TrainingError, SplitError: the folder is no finished run.
    """
    if path.is_dir():
        is_pipeline = (path / PIPELINE_FILE).is_file()
        return _load_pipeline(path) if is_pipeline else _load_run(RunFolder(path))
    if path.suffix == ".keras":
        run = RunFolder(path.parent)
        return _load_run(run, path) if run.config.is_file() else _load_keras(path)
    classifier = Classifier.load(path)
    model = classifier.model
    training = model.card.get("training", {})
    return EvaluationModel(
        score=lambda images: score_int8(classifier, images),
        predict=lambda images, fields: _predict(classifier, images, fields),
        labels=model.labels,
        height=model.height,
        width=model.width,
        split=None,
        data_digest=training.get("data_sha256"),
        origin={"network": model.card.get("name"), **training},
        cell=model.cell,
    )


def score_int8(classifier: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score images one by one with the runtime that a Pi uses.

    Args:
        classifier: the loaded int8 model.
        images: RGB, uint8, shape (n, height, width, 3).

    Returns:
        float32, shape (n, classes).
    """
    return predicted_scores([classifier.classify(image) for image in images])


def _predict(
    classifier: Classifier, images: NDArray[np.uint8], fields: NDArray[np.uint8]
) -> list[Prediction]:
    """Classify images; what is decided of each goes by its field, whose quality can be seen."""
    predictions = [classifier.classify(image) for image in images]
    if images.shape == fields.shape:
        return predictions
    decided = [classifier.classify(field) for field in fields]
    return [
        replace(
            one,
            decision=other.decision,
            reasons=other.reasons,
            instructions=other.instructions,
        )
        for one, other in zip(predictions, decided, strict=True)
    ]


def predicted_scores(predictions: Sequence[Prediction]) -> NDArray[np.float32]:
    """Return the scores of some predictions; float32, shape (n, classes)."""
    return np.array([list(one.scores.values()) for one in predictions], np.float32)


def _load_run(run: RunFolder, path: Path | None = None) -> EvaluationModel:
    config = asdict(run.read_config())
    path = run.require_model() if path is None else path
    origin: dict[str, Any] = {}
    # Absent where the training was stopped while it wrote its results; the model tells enough.
    with suppress(OSError, ValueError):
        metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
        origin = {key: metrics[key] for key in ("split", "calibration") if key in metrics}
    origin |= {
        key: value for key, value in config.items() if key not in ("labels", "data", "teacher")
    }
    return replace(
        _load_keras(path),
        labels=tuple(config["labels"]),
        split=run.read_split(),
        origin=origin,
        cell=read_cell_crop(config["cell"]),
    )


def _load_pipeline(folder: Path) -> EvaluationModel:
    from train.deep_features.pipeline_folder import load_pipeline

    loaded = load_pipeline(folder)
    about = loaded.description
    return EvaluationModel(
        score=loaded.score,
        labels=tuple(about.labels),
        height=loaded.side,
        width=loaded.side,
        split=loaded.split,
        origin={
            key: value
            for key, value in asdict(about).items()
            if key not in ("labels", "columns", "pipeline_sha256")
        },
    )


def _load_keras(path: Path) -> EvaluationModel:
    import keras

    from train.fitting import predict

    try:
        network = keras.models.load_model(path, compile=False)
        height, width, channels = network.input_shape[1:]
    except Exception as error:
        raise ModelFileError(
            f"The model {path} must be a .keras file with one image input",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step="Pass a run folder, or the model.keras inside it",
        ) from error
    if channels != 3 or height is None or width is None:
        raise ModelFileError(
            "A network takes RGB images of one size",
            got=f"{path} with input {network.input_shape}",
            next_step="Evaluate a network that blastscope trained",
        )
    return EvaluationModel(
        score=lambda images: predict(network, images),
        labels=None,
        height=height,
        width=width,
        split=None,
        network=network,
    )
