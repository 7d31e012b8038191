"""The folder that an evaluation is written into."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.output import make_folder, write_json
from train.evaluation.evaluation import Evaluation
from train.evaluation.mistakes import draw_mistakes
from train.evaluation.page import write_page
from train.evaluation.reliability_diagram import draw_reliability
from train.plots import plot_confusion

if TYPE_CHECKING:
    from train.evaluation.class_activation import ClassActivation


def write_folder(
    out: Path,
    evaluation: Evaluation,
    report: Mapping[str, Any],
    model: str,
    activation: ClassActivation | None = None,
) -> Path:
    """Write `index.html`, the pictures in it as PNG files, and `evaluation.json`.

    Pictures that an earlier evaluation left there and this one does not have are removed.

    Args:
        out: the folder; is made with its parents.
        evaluation: the images and scores.
        report: its report, with `class_activation` where that was worked out.
        model: what to call the model.
        activation: of its network; None for an int8 file.

    Returns:
        The page.

    Raises:
        OutputError: something cannot be written.
    """
    make_folder(out)
    pictures = {
        "confusion": out / "confusion_matrix.png",
        "reliability": out / "reliability.png",
        "mistakes": out / "misclassified.png",
        "activation": out / "class_activation.png",
    }
    plot_confusion(pictures["confusion"], {model: report})
    draw_reliability(pictures["reliability"], evaluation.scores, evaluation.targets)
    shown, mistakes = draw_mistakes(pictures["mistakes"], evaluation)
    counts = {"mistakes": mistakes, "mistakes_shown": shown, "activation_shown": 0}
    if activation is not None:
        from train.evaluation.activation_sheet import draw_activation

        counts["activation_shown"] = draw_activation(pictures["activation"], evaluation, activation)
    for name, count in (("mistakes", shown), ("activation", counts["activation_shown"])):
        if not count:
            pictures.pop(name).unlink(missing_ok=True)
    write_json(out / "evaluation.json", report)
    page = out / "index.html"
    write_page(page, report, model, evaluation.model.origin, pictures, counts)
    return page
