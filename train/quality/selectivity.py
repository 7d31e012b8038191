"""How many good fields pass, and how many bad ones are caught, on images kept aside."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.quality import QualityLimits, assess
from train.evaluation.intervals import wilson_interval
from train.quality.bad_kinds import BAD_KINDS

#: Takes what is being measured, as each kind begins.
Progress = Callable[[str], None]


def halve(digests: Sequence[str], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide images in two by their files' digests, so that identical files stay together.

    Args:
        digests: SHA-256 of each file in hexadecimal.
        seed: another one gives another division.

    Returns:
        Positions of the development half and of the held-out half.
    """
    odd = np.array(
        [hashlib.sha256(f"{seed} {digest}".encode()).digest()[0] % 2 for digest in digests],
        np.bool_,
    )
    return np.flatnonzero(~odd), np.flatnonzero(odd)


def measure_selectivity(
    images: NDArray[np.uint8],
    limits: QualityLimits,
    seed: int,
    foreign: Iterable[tuple[str, Sequence[NDArray[np.uint8]]]] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Judge good fields, spoiled ones and foreign ones.

    Args:
        images: good fields that the limits were not fitted on: RGB, uint8, shape (n, height,
            width, 3).
        limits: what to judge by.
        seed: of what is random in spoiling them.
        foreign: names, and images of any size that are out of the domain.
        progress: called with the name of each kind.

    Returns:
        "good", and "bad" and "foreign" by name, each with n, the number and share of fields in
        which something was found ("caught"), its 95 % Wilson interval, and how often by which
        measure ("by"). For "good" the share is that of fields in which nothing was ("passed").
    """
    tell = progress if progress is not None else lambda name: None
    tell("good")
    n, caught, by = _judge(list(images), limits)
    good = {"n": n, "passed": n - caught, **_share(n - caught, n), "by": by}
    bad = {}
    for kind in BAD_KINDS:
        tell(kind.name)
        # Another chance than that of the fit.
        bad[kind.name] = _caught(kind.make(images, seed + 1), limits)
    outside = {}
    for name, others in foreign:
        tell(name)
        outside[name] = _caught(others, limits)
    return {"good": good, "bad": bad, "foreign": outside}


def _caught(images: Sequence[NDArray[np.uint8]], limits: QualityLimits) -> dict[str, Any]:
    n, caught, by = _judge(images, limits)
    return {"n": n, "caught": caught, **_share(caught, n), "by": by}


def _judge(
    images: Sequence[NDArray[np.uint8]], limits: QualityLimits
) -> tuple[int, int, dict[str, int]]:
    by: Counter[str] = Counter()
    caught = 0
    for image in images:
        findings = limits.findings(assess(image))
        caught += bool(findings)
        by.update(finding.measure for finding in findings)
    return len(images), caught, dict(by.most_common())


def _share(count: int, n: int) -> dict[str, Any]:
    if n == 0:
        return {"share": None, "ci95": None}
    return {"share": count / n, "ci95": wilson_interval(count, n)}
