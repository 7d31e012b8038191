"""blastscope inspect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import MODEL, accuracy_line, json_option, percent, print_json, table

if TYPE_CHECKING:
    from edge.model_file import ModelFile


@click.command(
    "inspect",
    epilog="""\b
Examples:
  blastscope inspect model.tflite
  blastscope inspect mobilenet-v2
  blastscope inspect model.tflite --json""",
)
@click.argument("model", type=MODEL)
@json_option
def command(model: Path, as_json: bool) -> None:
    """Show what a model file says about itself: classes, accuracy, gate, data, signature, files.

    With --json, the whole card. `blastscope verify` tells whether it is true.
    """
    from edge.model_file import parse_model_file, read_tflite_bytes
    from edge.trust import configured_trust_store
    from edge.verification import check_signature

    # Not by read_model_file: a model that is not trusted may still be looked at.
    content = read_tflite_bytes(model)
    file = parse_model_file(model, content)
    if as_json:
        print_json(file.card, indent=2)
        return
    outcome, _ = check_signature(model, content, configured_trust_store())
    rows = [*_describe(file), ("signature", f"{outcome.state}: {outcome.found}")]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        first, *others = text.splitlines() or [""]
        click.echo(f"{name:<{width}}  {first}")
        for line in others:
            click.echo(f"{'':<{width}}  {line}")
    if metrics := file.card.get("metrics"):
        click.echo(f"\n{_class_table(metrics)}")
    click.echo("\nFiles inside:")
    click.echo(f"  {'the TFLite model':<20}  {file.graph_bytes:>9} bytes")
    for name, data in file.members.items():
        click.echo(f"  {name:<20}  {len(data):>9} bytes")


def _describe(file: ModelFile) -> Iterator[tuple[str, str]]:
    """Yield each row's name and text."""
    card = file.card
    yield "model", f"{file.model_id}, version {file.version}, format {card['format']}"
    yield "made by", f"blastscope {card['blastscope']}"
    yield "intended use", card["intended_use"]
    yield "limitations", "\n".join(card["limitations"]) or "none written down"
    yield "notice", card["notice"]
    yield "classes", ", ".join(file.labels)
    yield "input", f"{file.width} x {file.height} RGB, {card['preprocessing']['method']}"
    yield "decision", _decision(card["decision"])
    yield "answers", _answers(card.get("answer"))
    yield "size", f"{len(file.content) / 1e6:.2f} MB"
    metrics = card.get("metrics")
    for kind in ("float", "int8"):
        text = f"{accuracy_line(metrics[kind])}, {metrics['part']} part" if metrics else None
        yield kind, text or "not measured"
    yield "gate", _gate(card.get("gate"))
    training, quantization = card.get("training"), card.get("quantization")
    yield "data", training["data_sha256"] if training else "not recorded"
    yield "split", f"{training['split_sha256']}\n{training['split']}" if training else "-"
    if quantization:
        layers = quantization.get("float_layers") or ()
        step = quantization.get("step", "not recorded")
        yield "quantized", f"{step}; in float: {', '.join(layers) or 'nothing'}"
        digest = quantization["calibration_sha256"] or "not recorded"
        yield "calibration", f"{quantization['calibration_images']} images, {digest}"
    golden = card["golden"]
    yield "golden frames", f"{len(golden['frames'])}, with {golden['runtime']}"


def _decision(decision: Mapping[str, Any]) -> str:
    text = "the class with the highest score; of several as high, not the benign one"
    if (temperature := decision["temperature"]) is not None:
        text += f"; temperature {temperature['temperature']:.3f}, folded into the weights"
    return text


def _answers(answer: Mapping[str, Any] | None) -> str:
    if answer is None:
        return "always"
    conformal, domain = answer["conformal"], answer.get("domain")
    lines = []
    if "quality" in answer:
        lines.append(f"where {len(answer['quality']['limits'])} measures of quality are in limits")
    lines.append(
        f"where one class alone has a probability of {conformal['least_probability']:.3f} or more "
        f"(true class missed in {conformal['error_rate']:.1%} of such images; fitted on "
        f"{conformal['n']} of the {conformal['part']} part)"
    )
    if domain is not None:
        lines.append(
            f"and the embedding is at most {domain['most_distance']:.2f} from the training's "
            f"({domain['refused_share']:.1%} of such images are further; "
            f"{domain['directions']} of {domain['length']} directions)"
        )
    return "\n".join(lines)


def _gate(gate: Mapping[str, Any] | None) -> str:
    """Say the gate's outcome and, where they are as `blastscope quantize` writes them, its checks.

    A card may have another gate's report, of which only the outcome is known.
    """
    if gate is None:
        return "not passed through one"
    lines = [gate["outcome"]]
    checks = gate.get("checks")
    for check in checks if isinstance(checks, list) else []:
        try:
            lines.append(
                f"{check['name']}: {check['measured']:g}, limit {check['limit']:g} "
                f"({check['state']}; {check['images']}, n = {check['n']})"
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
    return "\n".join(lines)


def _class_table(metrics: Mapping[str, Any]) -> str:
    """Lay out each class's figures with their 95 % intervals, float and int8."""
    rows = []
    for kind in ("float", "int8"):
        for label, one in metrics[kind]["per_class"].items():
            figures = [
                f"{percent(one.get(name))}{_interval(one.get(f'{name}_ci95'))}"
                for name in ("sensitivity", "specificity")
            ]
            rows.append((f"{label}, {kind}", str(one["n"]), *figures))
    return table(("class", "n", "sensitivity", "specificity"), rows)


def _interval(limits: list[float] | None) -> str:
    return f" ({limits[0]:.1%} to {limits[1]:.1%})" if limits else ""
