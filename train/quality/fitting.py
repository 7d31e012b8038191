"""From good fields and spoiled ones to the limits between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.quality import Limit, Quality, QualityLimits, assess
from edge.quality.assessment import MEASURES
from train.quality.bad_kinds import BY_NAME

#: Share of good fields that one limit may cost.
LOSS = 0.002

#: The same for focus and motion: a set of real fields holds some that are blurred themselves.
LOSS_TO_BLUR = 0.003

#: A limit that follows from good fields alone lies further out than their quantile by this share of
#: its distance from their median, since few of them lie out there.
MARGIN = 0.1

#: Share of the bad fields that a limit between them and the good ones must still catch.
CAUGHT = 0.99

#: Glass that is grey within this many steps of a* and b* has no cast, whatever the good fields are.
_NEUTRAL = 2.0


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one limit is fitted.

    Attributes:
        measure: a field of `edge.quality.Quality`.
        side: "low" or "high".
        bad: the kind that the limit is there for; None if it follows from good fields alone.
        neutral: the limit lies no nearer to 0 than this; None for no such care.
        loss: share of the good fields that the limit may cost.
    """

    measure: str
    side: str
    bad: str | None = None
    neutral: float | None = None
    loss: float = LOSS


_RULES = (
    _Rule("brightness", "low", "under-exposed, 1 stop"),
    _Rule("clipped_black", "high", "black"),
    _Rule("clipped_white", "high", "over-exposed, 0.7 stops"),
    _Rule("contrast", "low", "contrast of 30 %"),
    _Rule("green_red", "low", neutral=-_NEUTRAL),
    _Rule("green_red", "high", neutral=_NEUTRAL),
    _Rule("blue_yellow", "low", neutral=-_NEUTRAL),
    _Rule("blue_yellow", "high", neutral=_NEUTRAL),
    _Rule("sharpness", "low", "defocused, radius 3", loss=LOSS_TO_BLUR),
    _Rule("isotropy", "low", "moved by 12 px", loss=LOSS_TO_BLUR),
    _Rule("white_cells", "low", "no white cell"),
    _Rule("cell_size", "low"),
    _Rule("cell_size", "high"),
)


def fit_limits(
    images: NDArray[np.uint8],
    seed: int,
    provenance: Mapping[str, Any],
    most_spoiled: int | None = None,
) -> QualityLimits:
    """Fit the limits of all measures.

    A limit lies midway between the `LOSS` quantile of good fields and the value beyond which
    `CAUGHT` of the spoiled ones lie, where these leave a gap; else at the quantile of the good
    ones. Where no spoiled ones are named, it lies beyond that quantile by `MARGIN`.

    Args:
        images: good fields at the input size that is measured: RGB, uint8, shape (n, height,
            width, 3).
        seed: of what is random in spoiling them.
        provenance: what to note about the images; the settings of the fit are added.
        most_spoiled: how many of the images are spoiled at most, drawn at random; None for all.
    """
    good = measure(list(images))
    if most_spoiled is not None and most_spoiled < len(images):
        drawn = np.random.default_rng(seed).choice(len(images), most_spoiled, replace=False)
        spoiled_images = images[np.sort(drawn)]
    else:
        spoiled_images = images
    bad = {
        name: measure(BY_NAME[name].make(spoiled_images, seed))
        for name in sorted({rule.bad for rule in _RULES if rule.bad is not None})
    }
    sides: dict[str, dict[str, float]] = {}
    for rule in _RULES:
        spoiled = None if rule.bad is None else bad[rule.bad][rule.measure]
        sides.setdefault(rule.measure, {})[rule.side] = _fit(rule, good[rule.measure], spoiled)
    return QualityLimits(
        limits={name: Limit(**limit) for name, limit in sides.items()},
        typical={name: round(float(np.median(good[name])), 4) for name in MEASURES},
        provenance={
            **provenance,
            "n": len(images),
            "seed": seed,
            "loss": LOSS,
            "loss_to_blur": LOSS_TO_BLUR,
            "margin": MARGIN,
            "caught": CAUGHT,
        },
    )


def measure(images: Sequence[NDArray[np.uint8]]) -> dict[str, NDArray[np.float64]]:
    """Assess images and return each measure's values; float64, shape (n,)."""
    return tabulate([assess(image) for image in images])


def tabulate(qualities: Sequence[Quality]) -> dict[str, NDArray[np.float64]]:
    """Return each measure's values; float64, shape (n,)."""
    return {
        name: np.array([getattr(quality, name) for quality in qualities], np.float64)
        for name in MEASURES
    }


def _fit(rule: _Rule, good: NDArray[np.float64], bad: NDArray[np.float64] | None) -> float:
    """Return one limit, rounded to four decimals."""
    sign = 1.0 if rule.side == "high" else -1.0
    good = sign * good
    limit = float(np.quantile(good, 1.0 - rule.loss))
    if bad is None:
        limit += MARGIN * (limit - float(np.median(good)))
    else:
        nearest = float(np.quantile(sign * bad, 1.0 - CAUGHT))
        limit = max(limit, (limit + nearest) / 2.0)
    limit *= sign
    if rule.neutral is not None:
        limit = max(limit, rule.neutral) if rule.side == "high" else min(limit, rule.neutral)
    return round(limit, 4)
