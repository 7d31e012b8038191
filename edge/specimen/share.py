"""The share of a specimen's fields that are of a class, from what a fallible model said of some."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.specimen.error_rates import ErrorRates
from edge.specimen.quadrature import beta_quadrature

#: Shares that are tried: none, all, and these steps between them.
_STEPS = 100

#: What is expected beforehand: no field is of the class, every field is, or any share of them. It
#: decides how soon an interval gets narrow, and never whether it is valid.
_NONE, _ALL = 0.4, 0.4

#: The least and the most apparent share that is believed possible, lest a logarithm be infinite.
_EDGE = 1e-9


class ShareLikelihood:
    """How well each share explains the model's answers.

    A field of the class is told as such with the specimen's own sensitivity, and another one with 1
    minus its specificity, so that the apparent share is

        p = share * sensitivity + (1 - share) * (1 - specificity)

    (Rogan and Gladen, "Estimating Prevalence from the Results of a Screening Test", American
    Journal of Epidemiology 107, 1978). Neither rate is known for the specimen at hand; the
    likelihood is its mean over what they may be, with which the errors of one specimen are as much
    alike as `ErrorRates` says. Fields next to each other are alike too, and count for less: the
    likelihood is taken to the power of 1 / design effect (Kish, "Survey Sampling", 1965, section
    8.2: n fields carry the information of n / design effect).

    Args:
        rates: the model's.
        design_effect: how many fields carry the information of one, 1 or more.
    """

    def __init__(self, rates: ErrorRates, design_effect: float) -> None:
        self._design_effect = design_effect
        self._shares = np.linspace(0.0, 1.0, _STEPS + 1)
        found, found_weights = beta_quadrature(rates.sensitivity)
        spared, spared_weights = beta_quadrature(rates.specificity)
        shares = self._shares[:, None, None]
        apparent = shares * found[:, None] + (1.0 - shares) * (1.0 - spared)
        apparent = np.clip(apparent, _EDGE, 1.0 - _EDGE).reshape(_STEPS + 1, -1)
        self._yes = np.log(apparent)
        self._no = np.log1p(-apparent)
        self._weights = np.outer(found_weights, spared_weights).ravel()
        expected = np.full(_STEPS + 1, (1.0 - _NONE - _ALL) / (_STEPS + 1))
        expected[0] += _NONE
        expected[-1] += _ALL
        self._expected = expected

    def best(self, positive: float, n: float) -> float | None:
        """Return the share that explains the answers best, in 0..1; None without answers.

        Args:
            positive: fields that the model told as of the class.
            n: fields in all.
        """
        return None if n <= 0.0 else float(self._shares[self._log(positive, n).argmax()])

    def interval(self, positive: float, n: float, confidence: float) -> tuple[float, float]:
        """Return limits of the share that hold at any time, however often one looks.

        The interval holds every share that explains the answers at least (1 - confidence) times as
        well as the expectation does: its prior-posterior ratio. For a share that is true this ratio
        is a martingale of mean 1, so that by Ville's inequality it exceeds 1 / (1 - confidence) at
        any time with a probability of 1 - confidence at most: the intervals are a confidence
        sequence (Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm",
        Annals of Mathematical Statistics 41, 1970; Howard, Ramdas, McAuliffe and Sekhon,
        "Time-uniform, Nonparametric, Nonasymptotic Confidence Sequences", Annals of Statistics
        49, 2021; Waudby-Smith and Ramdas, "Confidence Sequences for Sampling without Replacement",
        NeurIPS 2020). One may stop, or go on, as the interval suggests.

        Args:
            positive: fields that the model told as of the class.
            n: fields in all.
            confidence: such as 0.95.

        Returns:
            Lower and upper limit, both in 0..1.
        """
        logs = self._log(positive, n)
        top = float(logs.max())
        mean = top + math.log(float(np.exp(logs - top) @ self._expected))
        above = logs - (mean + math.log(1.0 - confidence))
        inside = np.flatnonzero(above > 0.0)
        first, last = int(inside[0]), int(inside[-1])
        low = self._crossing(above, first, first - 1) if first > 0 else 0.0
        high = self._crossing(above, last, last + 1) if last < _STEPS else 1.0
        return low, high

    def _log(self, positive: float, n: float) -> NDArray[np.float64]:
        """Return each share's log-likelihood; float64, shape (shares,)."""
        yes = positive / self._design_effect
        no = (n - positive) / self._design_effect
        each = yes * self._yes + no * self._no
        top = each.max(axis=1)
        return np.asarray(top + np.log(np.exp(each - top[:, None]) @ self._weights), np.float64)

    def _crossing(self, above: NDArray[np.float64], inside: int, outside: int) -> float:
        """Return where a line from a share inside the limits to the next one outside is at 0."""
        way = float(above[inside] / (above[inside] - above[outside]))
        return float(self._shares[inside] + way * (self._shares[outside] - self._shares[inside]))
