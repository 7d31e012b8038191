"""The int8 side of a C-NMC study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.accuracy_gate.criterion import Criterion
from quantize.recovery.ladder import CALIBRATION, FLOAT_LAYERS
from quantize.run_recovery import recover_run
from train.run_folder import RunFolder

#: Half a point of accuracy. A study says how good int8 is; no model of it is shipped, so that the
#: other limits, which on some hundred borderline cells would each be broken by chance, are open.
CRITERION = Criterion(
    max_drop_points=0.5,
    max_sensitivity_drop_points=100.0,
    max_malignant_to_benign=10**6,
    min_agreement=0.0,
)

#: What is tried where plain int8 loses more than that.
STEPS = (CALIBRATION, FLOAT_LAYERS)


def quantize_cells(
    run: RunFolder, data: Path, places: NDArray[np.int64]
) -> tuple[NDArray[np.float32], str]:
    """Quantize a run's network, and score some of its images.

    Args:
        run: the finished run.
        data: the images that it was trained on.
        places: positions in the run's split, none of them in the training part; int64, shape (n,).

    Returns:
        Scores, float32, shape (n, classes), and how the network was quantized.

    Raises:
        QuantizationError: it cannot be converted.
        TrainingError, ModelFileError, DatasetError: the run or its images cannot be read.
    """
    found = recover_run(run.path, criterion=CRITERION, steps=STEPS, data=data)
    chosen = found.recovery.chosen
    rows = np.searchsorted(found.unseen, places)
    lost = chosen.decision.held_out.drop_points
    note = f"{chosen.step} ({chosen.detail}), {lost:+.2f} points lost on its test part"
    return chosen.decision.unseen.int8_scores[rows], note
