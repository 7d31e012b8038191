"""Temperature scaling: probabilities that mean what they say.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2: all logits are
divided by one number T, which is fitted on images that the network was not trained on. The order
of the classes, and with it every decision by the highest score, stays as it was.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.errors import TrainingError

#: Lowest and highest temperature that a fit may give: beyond them the network is at fault.
TEMPERATURE_BOUNDS = (0.25, 8.0)

#: Of the logarithm of a temperature, before any image has been seen.
_PRIOR_DEVIATION = math.log(2)

#: What a probability of exactly 0 counts as; the smallest normal float32 is 1.2e-38.
_LEAST_PROBABILITY = 1e-38


def apply_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return softmax(log(scores) / temperature).

    A softmax forgets one constant of its logits, and softmax does not mind which: the logarithms
    of the probabilities serve as well as the logits themselves.

    Args:
        scores: class probabilities; float32, shape (n, classes). Exactly 0 and 1 are allowed.
        temperature: above 0; above 1 makes the scores less sure, below 1 surer.

    Returns:
        float32, shape (n, classes), each row adding up to 1.
    """
    return np.exp(_scaled_logarithms(_logarithms(scores), temperature)).astype(np.float32)


def fit_temperature(scores: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    """Return the temperature that minimizes the cross-entropy of scaled scores.

    To the cross-entropy of all n images together is added that of a prior, by which log(T) is
    normal around 0 with a standard deviation of log(2). Against some hundred images with a few
    mistakes it weighs little; without it, a validation part without a single mistake would ask
    for the lowest temperature there is, however few images it has.

    Args:
        scores: class probabilities of images not trained on; float32, shape (n, classes).
        targets: their classes; int64, shape (n,), n above 0.

    Returns:
        The temperature, within `TEMPERATURE_BOUNDS`.

    Raises:
        TrainingError: there are no scores, or some are no numbers.
    """
    from scipy.optimize import minimize_scalar

    n = len(targets)
    if n == 0 or not np.isfinite(scores).all():
        raise TrainingError(
            "A temperature is fitted to the scores of one image or more",
            got="none" if n == 0 else f"{int((~np.isfinite(scores)).sum())} that are no numbers",
            next_step="Train again with another --seed, or check the images",
        )
    logarithms = _logarithms(scores)

    def loss(log_temperature: float) -> float:
        scaled = _scaled_logarithms(logarithms, math.exp(log_temperature))
        prior = (log_temperature / _PRIOR_DEVIATION) ** 2 / 2
        return prior - float(scaled[np.arange(n), targets].sum())

    low, high = (math.log(bound) for bound in TEMPERATURE_BOUNDS)
    fitted = minimize_scalar(loss, bounds=(low, high), method="bounded")
    return math.exp(float(fitted.x))


def _logarithms(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.log(np.maximum(scores.astype(np.float64), _LEAST_PROBABILITY))


def _scaled_logarithms(logarithms: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return the logarithms of softmax(logarithms / temperature)."""
    scaled = logarithms / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return np.asarray(scaled)
