"""The card inside a one-file model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge import __version__
from edge.labels import DISCLAIMER
from edge.model_file import FORMAT_VERSION, PREPROCESSING_METHOD
from edge.preprocess import INPUT_MEAN, INPUT_STD
from quantize.gate import Comparison
from train.run_folder import RunConfig
from train.splits.kinds import caveat


def minimal_card(
    name: str,
    labels: Sequence[str],
    height: int,
    width: int,
    *,
    mean: float = INPUT_MEAN,
    std: float = INPUT_STD,
) -> dict[str, Any]:
    """Return what the runtime needs of a card: labels and preprocessing.

    Args:
        name: the network's name.
        labels: the classes in the order of the outputs.
        height: input height in pixels.
        width: input width in pixels.
        mean: what a byte's real value is counted from; the input's zero point.
        std: how many steps make 1; the inverse of the input's scale.
    """
    return {
        "format": FORMAT_VERSION,
        "name": name,
        "notice": DISCLAIMER,
        "labels": list(labels),
        "preprocessing": {
            "method": PREPROCESSING_METHOD,
            "colour_order": "RGB",
            "height": height,
            "width": width,
            "mean": mean,
            "std": std,
        },
        "blastscope": __version__,
    }


def run_card(
    config: RunConfig, comparison: Comparison, calibration_images: int, max_drop_points: float
) -> dict[str, Any]:
    """Return the card of a model that passed the gate.

    Args:
        config: of the run that trained it.
        comparison: float against int8 on the test part.
        calibration_images: how many images its ranges were measured on.
        max_drop_points: the criterion that it met, in percentage points.
    """
    low, high = comparison.agreement_ci95
    return {
        **minimal_card(config.network, config.labels, config.side, config.side),
        "training": {
            "data_sha256": config.data_digest,
            "split_sha256": config.split_digest,
            "split": caveat(config.split, config.fold),
            "split_kind": config.split,
            "seed": config.seed,
            "test_fraction": config.test_fraction,
            "epochs": config.epochs,
            "balance": config.balance,
            "blastscope": config.blastscope,
        },
        "quantization": {
            "scheme": "int8, weights per channel, uint8 input and output",
            "calibration_images": calibration_images,
            "max_drop_points": max_drop_points,
            "drop_points": comparison.drop_points,
            "flips": comparison.flips,
            "agreement": comparison.agreement,
            "agreement_ci95": [low, high],
        },
        "metrics": {
            "part": "test",
            "float": comparison.float_report,
            "int8": comparison.int8_report,
        },
    }
