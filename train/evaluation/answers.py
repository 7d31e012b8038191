"""How often an int8 model answers, and how good the answers are that it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.prediction import Prediction
from train.evaluation.intervals import wilson_interval


def answers_report(
    predictions: Sequence[Prediction], targets: NDArray[np.int64], labels: Sequence[str]
) -> dict[str, Any]:
    """Summarize which images got a result.

    Args:
        predictions: one for each image.
        targets: the images' true classes; int64, shape (n,).
        labels: the classes' names.

    Returns:
        `n`; `results`, how many got one; `share` of them, with `share_ci95`; `accuracy` of those
        alone, with `accuracy_ci95` (None where there are none); `decisions` and `reasons`, how many
        images had each. Intervals are Wilson's.
    """
    given = [one.decision == "result" for one in predictions]
    right = [
        one.label == labels[target]
        for one, target, is_given in zip(predictions, targets, given, strict=True)
        if is_given
    ]
    n, results = len(predictions), sum(given)
    return {
        "n": n,
        "results": results,
        "share": results / n,
        "share_ci95": wilson_interval(results, n),
        "accuracy": sum(right) / results if results else None,
        "accuracy_ci95": wilson_interval(sum(right), results) if results else None,
        "decisions": dict(Counter(one.decision for one in predictions)),
        "reasons": dict(Counter(reason for one in predictions for reason in one.reasons)),
    }
