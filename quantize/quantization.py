"""From a run folder to a one-file int8 model, or to none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import OutputError
from edge.model_file import ModelFile
from edge.output import require_absent, require_writable
from edge.quality import MEASURED_SIDE
from quantize.abstention import fit_abstention
from quantize.accuracy_gate.criterion import Criterion
from quantize.accuracy_gate.decision import Decision
from quantize.accuracy_gate.refusal import require_passed
from quantize.activation import find_activation
from quantize.card import calibration_digest, run_card
from quantize.gate_report import Evidence, write_gate_report
from quantize.packing import pack_model, write_model
from quantize.recovery.ladder import STEPS, Recovery, Tell
from quantize.run_images import read_run_images
from quantize.run_recovery import recover_run
from train.image_set import Progress


@dataclass(frozen=True, slots=True, eq=False)
class QuantizationResult:
    """An int8 model that was written.

    Attributes:
        model: the file.
        decision: what the gate found.
        recovery: what was tried on the way.
        float_report: of the float network on the test part (that of validation where there is
            none), as `train.evaluation.metrics.classification_report` returns it.
        int8_report: the same for int8.
    """

    model: ModelFile
    decision: Decision
    recovery: Recovery
    float_report: dict[str, Any]
    int8_report: dict[str, Any]


def quantize(
    run_path: Path,
    out: Path,
    *,
    criterion: Criterion | None = None,
    must_show: bool = False,
    accept_too_few: bool = False,
    steps: Sequence[str] = STEPS,
    every_step: bool = False,
    report: Path | None = None,
    model_version: int = 1,
    data: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    tell: Tell = lambda line, attempt: None,
) -> QuantizationResult:
    """Convert a run's network to int8 and write it if it is as good as the float one.

    Args:
        run_path: a finished run folder.
        out: the model file to write.
        criterion: what it must hold; None takes the default limits.
        must_show: limits must be shown to be held, and not only be held on the images at hand.
        accept_too_few: write it as well where there are too few images to tell; its card says so.
        steps: what is tried if plain int8 misses a limit; out of `quantize.recovery.ladder.STEPS`.
        every_step: try them all, to see what each costs.
        report: a folder for `gate.json` and `gate.html`, written whatever the outcome.
        model_version: counts up with each release of a network of that name.
        data: the images, where they have moved since training; None takes the run's folder.
        overwrite: replace `out` if it exists. It stays as it is if the check fails.
        progress: called with (images read, images in all).
        tell: see `quantize.recovery.ladder.recover`.

    Returns:
        The model written, and how it compares.

    Raises:
        AccuracyGateError: it missed a limit, or there are too few images to tell; nothing was
            written but the report.
        QuantizationError: it cannot be converted.
        TrainingError, ModelFileError, DatasetError: the run or its images cannot be read.
        OutputError: `out` exists already, or it or the report cannot be written.
    """
    if out.is_dir():
        raise OutputError("The model is a file", got=f"the folder {out}", next_step="Name a file")
    require_writable(out)
    if not overwrite:
        require_absent(out, "Replace it with --overwrite, or choose another --out")
    found = recover_run(
        run_path,
        criterion=criterion or Criterion(),
        must_show=must_show,
        steps=steps,
        every_step=every_step,
        data=data,
        progress=progress,
        tell=tell,
    )
    run, config, split, recovery = found.run, found.config, found.split, found.recovery
    images, targets = found.images, found.targets
    chosen = recovery.chosen
    card = run_card(
        config,
        chosen.decision,
        quantization={
            "step": chosen.step,
            "detail": chosen.detail,
            "float_layers": list(chosen.float_layers),
            "calibration_images": len(chosen.calibration),
            "calibration_sha256": calibration_digest(
                [split.digests[place] for place in found.kept[chosen.calibration]]
            ),
        },
        temperature=run.read_metrics().get("calibration"),
        model_version=model_version,
    )
    if report is not None:
        evidence = Evidence(
            images[found.unseen],
            tuple(split.paths[place] for place in found.unseen),
            tuple(split.parts[place] for place in found.unseen),
        )
        subject = {"network": config.network, **card["training"], **card["quantization"]}
        write_gate_report(report, recovery, subject, evidence)
    require_passed(chosen.decision, report, accept_too_few=accept_too_few)
    fields = None if config.cell is not None else images
    if fields is not None and fields.shape[1:3] != (MEASURED_SIDE, MEASURED_SIDE):
        fields = read_run_images(config, split, data, None, MEASURED_SIDE)[0]
    abstention = fit_abstention(chosen.content, images, targets, split, fields, config.seed)
    card["answer"] = abstention.card
    if (activation := find_activation(chosen.content)) is not None:
        card["activation"] = activation
    packed = pack_model(chosen.content, card, abstention.domain)
    model = write_model(out, packed)
    metrics = card["metrics"]
    return QuantizationResult(model, chosen.decision, recovery, metrics["float"], metrics["int8"])
