"""The card inside a one-file model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge import __version__
from edge.cell_crop import CellCrop, read_cell_crop
from edge.labels import DISCLAIMER, benign_label
from edge.model_card import CELL_METHOD, FORMAT_VERSION, PREPROCESSING_METHOD
from edge.preprocess import INPUT_MEAN, INPUT_STD
from quantize.accuracy_gate.comparison import Comparison
from quantize.accuracy_gate.decision import Decision
from train.evaluation.metrics import classification_report
from train.run_folder import RunConfig
from train.splits.kinds import caveat

#: What a model is for, unless its maker says otherwise.
INTENDED_USE = (
    "Research into screening stained peripheral-blood smears for acute lymphoblastic leukemia: "
    "sorting microscope fields of view into classes, so that a trained person looks first at "
    "those that need it. It screens; it does not diagnose."
)

#: What a model that looks at single cells is for.
CELL_USE = (
    "Research into telling leukemic lymphoblasts from healthy cells, one white cell on black at a "
    "time, so that a trained person looks first at those that need it. It screens; it does not "
    "diagnose."
)

#: What holds of every such model.
LIMITATIONS = (
    "Not validated on patients, and not for deciding about treatment.",
    "Its label is one of its classes whatever lies under the lens: only its decision tells whether "
    "that is a result.",
    "Smears from another laboratory, stain, microscope or camera may score worse than the metrics "
    "here; measure it there first.",
)

#: What holds of those that look at single cells besides.
CELL_LIMITATIONS = (
    "It goes by a cell's size too, as it is in frames of the training's microscope. Cells that are "
    "cut out of other fields, as `blastscope cells` does, all have the training's median size.",
)


def minimal_card(
    name: str,
    labels: Sequence[str],
    height: int,
    width: int,
    *,
    mean: float = INPUT_MEAN,
    std: float = INPUT_STD,
    model_version: int = 1,
    intended_use: str = INTENDED_USE,
    limitations: Sequence[str] = LIMITATIONS,
    temperature: Mapping[str, Any] | None = None,
    cell: CellCrop | None = None,
) -> dict[str, Any]:
    """Return what every card holds; `quantize.packing.pack_model` adds the parts' hashes.

    Args:
        name: the network's name.
        labels: the classes in the order of the outputs.
        height: input height in pixels.
        width: input width in pixels.
        mean: what a byte's real value is counted from; the input's zero point.
        std: how many steps make 1; the inverse of the input's scale.
        model_version: counts up with each release of a model of that name, from 1 on.
        intended_use: what it is for, in plain sentences.
        limitations: what to know before relying on it.
        temperature: `temperature` and whatever else the run's metrics say about it; it is folded
            into the weights already. None where there was none, or nothing is known.
        cell: the square that the network sees around a cell; None for one that looks at fields.
    """
    return {
        "format": FORMAT_VERSION,
        "name": name,
        "model_version": model_version,
        "notice": DISCLAIMER,
        "intended_use": intended_use,
        "limitations": list(limitations),
        "labels": list(labels),
        "preprocessing": {
            "method": PREPROCESSING_METHOD if cell is None else CELL_METHOD,
            "colour_order": "RGB",
            "height": height,
            "width": width,
            "mean": mean,
            "std": std,
            **({} if cell is None else {"cell": cell.as_json()}),
        },
        "decision": {
            "rule": "argmax",
            "benign_label": benign_label(labels),
            "malignant_threshold": None,
            "temperature": None if temperature is None else {**temperature, "folded": True},
        },
        "blastscope": __version__,
    }


def calibration_digest(digests: Sequence[str]) -> str:
    """Return the SHA-256 that names a set of calibration images, whatever their order.

    Args:
        digests: SHA-256 of each image's file, in hexadecimal.

    Returns:
        SHA-256 of the sorted digests, each with a line feed behind; in hexadecimal.
    """
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(digests)).encode()).hexdigest()


def run_card(
    config: RunConfig,
    decision: Decision,
    *,
    quantization: Mapping[str, Any],
    temperature: Mapping[str, Any] | None = None,
    model_version: int = 1,
    limitations: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the card of a model that passed the gate.

    Args:
        config: of the run that trained it.
        decision: of the gate.
        quantization: how it was quantized: `step, detail, float_layers, calibration_images,
            calibration_sha256`.
        temperature: the section "calibration" of the run's `metrics.json`; None where it has none.
        model_version: see `minimal_card`.
        limitations: what to know besides `LIMITATIONS` and what the split cannot tell.
    """
    held_out = decision.held_out
    split = caveat(config.split, config.fold)
    return {
        **minimal_card(
            config.network,
            config.labels,
            config.side,
            config.side,
            model_version=model_version,
            intended_use=INTENDED_USE if config.cell is None else CELL_USE,
            limitations=(
                *LIMITATIONS,
                *(CELL_LIMITATIONS if config.cell is not None else ()),
                f"Metrics are of a {split}.",
                *limitations,
            ),
            temperature=temperature,
            cell=read_cell_crop(config.cell),
        ),
        "training": {
            "data_sha256": config.data_digest,
            "split_sha256": config.split_digest,
            "split": split,
            "split_kind": config.split,
            "seed": config.seed,
            "test_fraction": config.test_fraction,
            "epochs": config.epochs,
            "balance": config.balance,
            "blastscope": config.blastscope,
            **({"teacher_sha256": config.teacher_sha256} if config.teacher_sha256 else {}),
        },
        "quantization": {
            "scheme": "int8, weights per channel, uint8 input and output",
            **quantization,
        },
        "gate": decision.as_dict(),
        "metrics": {
            "part": decision.part,
            "float": _report(held_out, held_out.float_scores),
            "int8": _report(held_out, held_out.int8_scores),
        },
    }


def _report(comparison: Comparison, scores: NDArray[np.float32]) -> dict[str, Any]:
    return classification_report(comparison.targets, scores, comparison.labels)
