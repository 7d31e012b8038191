"""The gate's decision as JSON, and as a page that shows every image whose class changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.labels import DISCLAIMER
from edge.output import make_folder, write_json
from quantize.accuracy_gate.decision import Check
from quantize.recovery.ladder import Recovery
from quantize.recovery.plot import plot_layer_errors, short_name
from quantize.recovery.timing import invoke_milliseconds
from train.html_page import data_uri, write_html

_JPEG_QUALITY = 90

#: What an outcome means, in a sentence.
OUTCOMES = {
    "passed": "int8 holds every limit on these images",
    "too few images": "no limit is missed, but there are too few images to tell",
    "failed": "int8 misses a limit",
}


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The images that a decision rests on.

    Attributes:
        images: those of `Decision.unseen`; RGB, uint8, shape (n, side, side, 3).
        paths: of their files.
        parts: the part of the split that each is in.
    """

    images: NDArray[np.uint8]
    paths: Sequence[str]
    parts: Sequence[str]


def write_gate_report(
    folder: Path,
    recovery: Recovery,
    subject: Mapping[str, Any],
    evidence: Evidence,
) -> None:
    """Write `gate.json` and `gate.html`.

    Args:
        folder: made if it is not there.
        recovery: what was tried; the gate's decision is that on the chosen attempt.
        subject: what the report is about: network, data and split versions, seed, calibration.
        evidence: the images.

    Raises:
        OutputError: the folder or a file cannot be written.
    """
    chosen = recovery.chosen
    decision, comparison = chosen.decision, chosen.decision.unseen
    flips = [
        {
            "path": evidence.paths[place],
            "part": evidence.parts[place],
            "class": comparison.labels[comparison.targets[place]],
            "float": _scores(comparison.labels, comparison.float_scores[place]),
            "int8": _scores(comparison.labels, comparison.int8_scores[place]),
        }
        for place in comparison.flipped
    ]
    make_folder(folder, exist_ok=True)
    spent = invoke_milliseconds(recovery.attempts, evidence.images[0])
    attempts = [
        one.as_dict() | {"milliseconds": milliseconds, "chosen": one is chosen}
        for one, milliseconds in zip(recovery.attempts, spent, strict=True)
    ]
    report = {
        "subject": dict(subject),
        **decision.as_dict(),
        "attempts": attempts,
        "layer_errors": [asdict(one) for one in recovery.ranking],
        "flipped": flips,
    }
    write_json(folder / "gate.json", report)
    pictures = [_picture(evidence.images[place]) for place in comparison.flipped]
    write_html(
        folder / "gate.html",
        "quantize",
        "gate.html",
        disclaimer=DISCLAIMER,
        subject=subject,
        decision=decision,
        report=report,
        said=OUTCOMES[decision.outcome],
        header=CHECK_HEADER,
        checks=check_rows(decision.checks),
        attempts=attempts,
        float_layers=[short_name(name) for name in chosen.float_layers],
        layer_errors=data_uri(plot_layer_errors(recovery.ranking, chosen.float_layers))
        if recovery.ranking
        else None,
        flips=[one | {"picture": picture} for one, picture in zip(flips, pictures, strict=True)],
    )


#: Above the columns of `check_rows`.
CHECK_HEADER = (
    "limit on",
    "images",
    "n",
    "measured",
    "limit",
    "may be, at 95 %",
    "",
    "n to show it",
)


def check_rows(checks: Sequence[Check]) -> list[tuple[str, ...]]:
    """Return the checks as rows of a table."""
    return [
        (
            one.name,
            one.images,
            f"{one.n:,}",
            _value(one, one.measured),
            ("≥ " if one.name.startswith("agreement") else "≤ ") + _value(one, one.limit),
            "–" if one.bound is None else _value(one, one.bound),
            one.state,
            "–"
            if one.bound is None
            else ("none would" if one.enough is None else f"{one.enough:,}"),
        )
        for one in checks
    ]


def _value(check: Check, value: float) -> str:
    if check.bound is None:
        return f"{value:.0f}"
    return f"{value:.2%}" if check.name.startswith("agreement") else f"{value:.2f}"


def _scores(labels: Sequence[str], scores: NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(labels, (float(score) for score in scores), strict=True))


def _picture(image: NDArray[np.uint8]) -> str:
    _, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
    )
    return data_uri(encoded.tobytes(), "jpeg")
