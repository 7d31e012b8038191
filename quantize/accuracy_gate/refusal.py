"""The gate's no."""

from __future__ import annotations

from pathlib import Path

from edge.errors import AccuracyGateError
from quantize.accuracy_gate.decision import Check, Decision


def require_passed(decision: Decision, report: Path | None, *, accept_too_few: bool) -> None:
    """Let a model pass only if the gate says so.

    Args:
        decision: of the gate.
        report: where its report was written; None if nowhere.
        accept_too_few: let it pass as well where there are too few images to tell.

    Raises:
        AccuracyGateError: a limit was missed, or there are too few images to tell.
    """
    if decision.outcome == "passed" or (decision.outcome != "failed" and accept_too_few):
        return
    look = f"Look at {report / 'gate.html'}" if report else "See the images with --report DIR"
    if decision.outcome == "failed":
        missed = [check for check in decision.checks if check.state == "missed"]
        raise AccuracyGateError(
            "An int8 model is written if it holds every limit",
            got=f"{'; '.join(_say(check) for check in missed)}. No model was written",
            next_step=f"{look}; train longer or on more images, or allow more (see --help)",
        )
    wanting = [check for check in decision.checks if check.state in ("too few images", "held")]
    unsure = [check for check in wanting if check.state == "too few images"] or wanting
    raise AccuracyGateError(
        "An int8 model is written if there are enough images to tell that it holds every limit",
        got=f"{'; '.join(_say(check) for check in unsure)}. No model was written",
        next_step=f"{look}; add images, or write it all the same with --accept-too-few: its card "
        "will say so",
    )


def _say(check: Check) -> str:
    figures = f"{check.measured:.4g} where the limit is {check.limit:g}"
    enough = f"; {check.enough:,} images would show it" if check.enough else ""
    if check.state == "missed":
        enough = ""
    return f"{check.name} ({check.images}, n = {check.n}) is {figures}{enough}"
