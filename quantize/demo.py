"""The whole path on simulated smears, from images to a page that shows it all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.bench import EndToEnd, measure_end_to_end
from edge.cameras.simulated import SimulatedCamera
from edge.classifier import Classifier
from edge.errors import OutputError
from edge.labels import DISCLAIMER, SMEAR_LABELS
from edge.model_file import read_model_file
from edge.output import make_folder, require_absent, require_writable
from edge.prediction import Prediction
from edge.shipped_models import SHIPPED_MODELS, shipped_model
from edge.smear import write_dataset
from quantize.accuracy_gate.criterion import Criterion
from quantize.quantization import QuantizationResult, quantize
from train.fitting import FitProgress
from train.html_page import data_uri, write_html
from train.image_set import Progress
from train.plots import plot_confusion
from train.training import TrainingResult, train

#: Simulated fields of each class; a fifth of them is the test part.
IMAGES_PER_CLASS = 150
EPOCHS = 18
FRAMES = 12

#: With 120 test images one image is 0.83 points, so the usual limits would allow none at all.
CRITERION = Criterion(max_drop_points=1.0, max_sensitivity_drop_points=4.0, min_agreement=0.98)

_MARKER = "this-folder-is-a-blastscope-demo"


@dataclass(frozen=True, slots=True, eq=False)
class DemoFrame:
    """A frame of the simulated microscope: RGB uint8 pixels, its true class and its result."""

    pixels: NDArray[np.uint8]
    true_label: str
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class ComingAlong:
    """A model that comes with blastscope.

    Attributes:
        name: out of `edge.shipped_models.SHIPPED_MODELS`.
        what: it is, in a few words.
        bytes: size of its file.
        part: the images that `report` is of, as its card calls them.
        report: int8 figures of its card.
        milliseconds: median from a frame of 640 x 480 pixels to its scores, on this machine.
    """

    name: str
    what: str
    bytes: int
    part: str
    report: Mapping[str, Any]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made.

    Attributes:
        page: the HTML page, with all its pictures inside.
        training: the run.
        quantization: the int8 model and how it compares.
        frames: frames of the simulated microscope with their results.
        timing: the int8 model against the bare interpreter.
        coming_along: the models that come with blastscope, trained on real smears.
    """

    page: Path
    training: TrainingResult
    quantization: QuantizationResult
    frames: Sequence[DemoFrame]
    timing: EndToEnd
    coming_along: Sequence[ComingAlong]


def run_demo(
    out: Path,
    *,
    overwrite: bool = False,
    images_per_class: int = IMAGES_PER_CLASS,
    epochs: int = EPOCHS,
    criterion: Criterion = CRITERION,
    seed: int = 0,
    say: Callable[[str], None] = lambda message: None,
    render_progress: Progress | None = None,
    fit_progress: FitProgress | None = None,
) -> DemoResult:
    """Generate smears, train, quantize with the check, classify frames, and draw the page.

    Args:
        out: the folder to make.
        overwrite: remove an earlier demo in `out` first. Another folder is never removed.
        images_per_class: simulated fields of each class.
        epochs: passes over the training part.
        criterion: the gate's limits.
        seed: of everything random.
        say: called with a sentence at the start of each step.
        render_progress: called with (images written, images in all).
        fit_progress: see `train.fitting.FitProgress`.

    Raises:
        OutputError: `out` exists, or cannot be written.
        AccuracyGateError: the int8 model lost too much.
    """
    if overwrite and (out / _MARKER).is_file():
        shutil.rmtree(out)
    require_writable(out)
    require_absent(out, "Choose another --out, or replace an earlier demo with --overwrite")
    make_folder(out)
    try:
        (out / _MARKER).touch()
    except OSError as error:
        raise OutputError("The demo's folder must be writable", got=error) from error
    say(f"1/5  Rendering {images_per_class * len(SMEAR_LABELS)} simulated smears")
    write_dataset(out / "smears", images_per_class, seed, progress=render_progress)
    say(f"2/5  Training the custom CNN for {epochs} epochs")
    training = train(
        "custom-cnn",
        out / "smears",
        out / "run",
        epochs=epochs,
        seed=seed,
        fit_progress=fit_progress,
    )
    say("3/5  Quantizing to int8 and comparing with float")
    quantization = quantize(out / "run", out / "custom-cnn.tflite", criterion=criterion)
    say("4/5  Classifying frames from the simulated microscope")
    frames = _classify_frames(quantization, seed)
    timing = measure_end_to_end(quantization.model, frames[0].pixels)
    say("5/5  Drawing the page")
    page = out / "index.html"
    coming_along = _try_models(frames[0].pixels)
    result = DemoResult(page, training, quantization, frames, timing, coming_along)
    _write_page(result, out)
    return result


def _classify_frames(quantization: QuantizationResult, seed: int) -> list[DemoFrame]:
    """Classify frames of 640 x 480 pixels, as many of each class."""
    frames = []
    with Classifier(quantization.model) as classifier:
        for label in SMEAR_LABELS:
            with SimulatedCamera(label, seed=seed + 1) as camera:
                frames += [
                    DemoFrame(frame.pixels, label, classifier.classify(frame.pixels))
                    for frame in camera.frames(limit=FRAMES // len(SMEAR_LABELS))
                ]
    return frames


def _try_models(frame: NDArray[np.uint8]) -> list[ComingAlong]:
    """Time the models that come along; what they score on real smears is on their cards."""
    found = []
    for name, what in SHIPPED_MODELS.items():
        model = read_model_file(shipped_model(name))
        metrics = model.card["metrics"]
        found.append(
            ComingAlong(
                name,
                what,
                len(model.content),
                metrics["part"],
                metrics["int8"],
                measure_end_to_end(model, frame).decision.p50_ms,
            )
        )
    return found


def _write_page(result: DemoResult, out: Path) -> None:
    quantization = result.quantization
    confusion = out / "confusion.png"
    plot_confusion(
        confusion,
        {"float32": quantization.float_report, "int8": quantization.int8_report},
    )
    sizes = {
        "float32": result.training.run.model.stat().st_size,
        "int8": len(result.quantization.model.content),
    }
    write_html(
        result.page,
        "quantize",
        "demo.html",
        disclaimer=DISCLAIMER,
        reports={"float32": quantization.float_report, "int8": quantization.int8_report},
        sizes=sizes,
        test=quantization.decision.held_out,
        criterion=quantization.decision.criterion,
        metrics=result.training.metrics,
        timing=result.timing,
        coming_along=result.coming_along,
        model=result.quantization.model,
        curves=data_uri(result.training.run.curves.read_bytes()),
        confusion=data_uri(confusion.read_bytes()),
        frames=[_frame_context(frame) for frame in result.frames],
    )


def _frame_context(frame: DemoFrame) -> dict[str, Any]:
    small = cv2.resize(frame.pixels, (320, 240), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 88)
    )
    return {
        "picture": data_uri(encoded.tobytes(), "jpeg"),
        "true_label": frame.true_label,
        "label": frame.prediction.label,
        "scores": frame.prediction.scores,
        "decision": frame.prediction.decision,
        "reasons": frame.prediction.reasons,
    }
