"""README's tables, made anew: `make figures`.

Quantizes every finished run of a study, as `blastscope reproduce` leaves it, and prints what int8
costs beside float over its seeds, with the time of one frame. It fails if a figure is worse than
blastscope promises.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge import __version__
from edge.cli.main import run
from edge.cli.options import PATH, note, print_json
from edge.errors import AccuracyGateError, TrainingError
from edge.output import write_json

if TYPE_CHECKING:
    from quantize.quantization import QuantizationResult
    from train.run_folder import RunFolder
    from train.splits.kinds import SplitKind

#: The most points of accuracy that int8 may lose on average under a random split. What float must
#: have is among `train.studies.promises`.
MOST_POINTS_LOST = {"custom-cnn": 0.2, "mobilenet-v2": 0.1}

#: Least mean share of test images of which int8 says what float says.
LEAST_AGREEMENT = 0.997

#: What stands below the tables.
_BELOW = (
    "Data: {data}; test parts, n images of all seeds or folds together; means over these with "
    "Student's 95 % t interval; malignant to benign: of all images that the calibration did not "
    "see; times: medians of one thread in one run. Printed by `python -m quantize.figures STUDY`."
)

#: Largest ratio of classify to invoke, of the network that is used where none is named.
MOST_RATIO = {"mobilenet-v2": 1.3}


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What int8 costs in one run.

    Attributes:
        network: the network's name.
        split: the kind of division.
        seed: of the run.
        n: images of the test part.
        float_accuracy: of the float network on them.
        int8_accuracy: of the int8 one.
        flips: images of the test part that change class.
        malignant_to_benign: malignant ones that change to benign, of all images that the
            calibration did not see.
        step: how it was quantized, as `quantize.recovery.ladder` names it.
        refused: why there is no model; empty where there is one. Other figures are then 0.
        data: name and version of the images.
    """

    network: str
    split: SplitKind
    seed: int
    n: int = 0
    float_accuracy: float = 0.0
    int8_accuracy: float = 0.0
    flips: int = 0
    malignant_to_benign: int = 0
    step: str = ""
    refused: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """One network on one thread of this machine: a 224 x 224 frame, medians.

    Attributes:
        network: the network's name.
        megabytes: size of the model file.
        invoke_ms: of the bare interpreter.
        ratio: of preprocess and invoke to that, in the same run.
    """

    network: str
    megabytes: float
    invoke_ms: float
    ratio: float


def measure(
    study: Path, data: Path | None = None, only: Sequence[str] = (), *, again: bool = False
) -> tuple[list[RunFigures], list[Timing]]:
    """Quantize every finished run of a study, and time one model of each network.

    Args:
        study: the folder that `blastscope reproduce` wrote; models go into its folder `int8`, and
            one that is there already, of the same float model, is taken as it is.
        data: the images, where they have moved since training.
        only: patterns such as "mobilenet-v2/random-*", one of which a run must fit; none for all.
        again: quantize all of them anew.

    Raises:
        TrainingError: there is no finished run.
    """
    from train.run_folder import RunFolder

    finished = sorted(path.parent for path in study.glob("runs/*/*/model.keras"))
    names = {folder: folder.relative_to(study / "runs").as_posix() for folder in finished}
    folders = [
        RunFolder(folder)
        for folder, name in names.items()
        if not only or any(fnmatch(name, pattern) for pattern in only)
    ]
    if not folders:
        raise TrainingError(
            "A study holds finished runs",
            got=f"none in {study}" + (f" that fit {', '.join(only)}" if only else ""),
            next_step="Train them with `blastscope reproduce tamim2025 DATA --out DIR`",
        )
    figures: list[RunFigures] = []
    timings: dict[str, Timing] = {}
    for folder in folders:
        network = folder.read_config().network
        out = study / "int8" / network / f"{folder.path.name}.tflite"
        figures.append(_figures(folder, out, data, again=again))
        if network not in timings and not figures[-1].refused:
            timings[network] = _time(network, out)
    return figures, [*timings.values()]


def _figures(folder: RunFolder, out: Path, data: Path | None, *, again: bool) -> RunFigures:
    """Quantize a run, or read what it came to before."""
    from quantize.quantization import quantize
    from train.studies.measurement import read_held

    config = folder.read_config()
    named: dict[str, Any] = {
        "network": config.network,
        "split": config.split,
        "seed": config.seed,
        "data": f"{Path(config.data).name}, version {config.data_digest[:12]}",
    }
    rests_on = {
        "model_sha256": hashlib.sha256(folder.require_model().read_bytes()).hexdigest(),
        "blastscope": __version__,
    }
    kept = out.with_suffix(".json")
    held = None if again or not out.is_file() else read_held(kept, rests_on)
    if held is not None:
        return RunFigures(**held["figures"])
    note(f"{config.network}, {config.split} split, seed {config.seed}")
    try:
        result = quantize(folder.path, out, data=data, overwrite=True)
    except AccuracyGateError as error:
        return RunFigures(**named, refused=str(error.got))
    figures = figures_of(named, result)
    write_json(kept, {"rests_on": rests_on, "figures": asdict(figures)})
    return figures


def broken_promises(figures: Sequence[RunFigures], timings: Sequence[Timing]) -> list[str]:
    """Return a sentence for each figure that is worse than promised."""
    found = []
    for (network, split), runs in _rows(figures):
        refused = [one for one in runs if one.refused]
        found += [f"{network}, {split}, seed {one.seed}: no int8 model" for one in refused]
        if network not in MOST_POINTS_LOST or split != "random" or refused:
            continue
        means = _means(runs)
        found += [
            f"{network}: {what} is {value:.4g}, promised is {limit:g}"
            for what, value, limit, sign in (
                ("points lost to int8", means["drop"], MOST_POINTS_LOST[network], -1),
                ("agreement", means["agreement"], LEAST_AGREEMENT, 1),
                ("malignant turned benign", means["turned"], 0, -1),
            )
            if (value - limit) * sign < -1e-9
        ]
    return found + [
        f"{one.network}: classify over invoke is {one.ratio:.4g}, "
        f"promised is {MOST_RATIO[one.network]:g}"
        for one in timings
        if one.network in MOST_RATIO and one.ratio > MOST_RATIO[one.network]
    ]


def as_markdown(figures: Sequence[RunFigures], timings: Sequence[Timing]) -> str:
    """Lay the figures out as README has them."""
    lines = [
        "| network | split | n | float | int8 | points lost | agreement | malignant to benign |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (network, _), runs in _rows(figures):
        begin = f"| {network} | {_split(runs)} | "
        if any(one.refused for one in runs):
            lines.append(f"{begin}– | – | refused | – | – | – |")
            continue
        means = _means(runs)
        lines.append(
            f"{begin}{sum(one.n for one in runs):,} "
            f"| {_mean([one.float_accuracy for one in runs])} "
            f"| {_mean([one.int8_accuracy for one in runs])} | {means['drop']:.2f} "
            f"| {_mean([1 - one.flips / one.n for one in runs])} | {means['turned']} |"
        )
    lines += ["", "| network | file | invoke | classify / invoke |", "|---|---|---|---|"]
    lines += [
        f"| {one.network} | {one.megabytes:.2f} MB | {one.invoke_ms:.2f} ms | {one.ratio:.2f} |"
        for one in timings
    ]
    data = "; ".join(sorted({one.data for one in figures}))
    return "\n".join([*lines, "", _BELOW.format(data=data)])


def _rows(
    figures: Sequence[RunFigures],
) -> Iterator[tuple[tuple[str, str], list[RunFigures]]]:
    """Yield the runs of each network and kind of split, random ones first."""
    rows: dict[tuple[str, str], list[RunFigures]] = defaultdict(list)
    for one in figures:
        rows[one.network, one.split].append(one)
    for key in sorted(rows, key=lambda key: (key[1] != "random", key)):
        yield key, sorted(rows[key], key=lambda one: one.seed)


def _means(runs: Sequence[RunFigures]) -> Mapping[str, float]:
    """Return the means over seeds, and the sum of what must not happen once."""
    count = len(runs)
    return {
        "drop": 100 * sum(one.float_accuracy - one.int8_accuracy for one in runs) / count,
        "agreement": sum(1 - one.flips / one.n for one in runs) / count,
        "turned": sum(one.malignant_to_benign for one in runs),
    }


def _split(runs: Sequence[RunFigures]) -> str:
    """Name the division of a row's runs, and its seeds or folds."""
    from train.splits.kinds import USUAL_FOLDS, fold_of_seed
    from train.studies.choices import format_seeds

    split = runs[0].split
    folds = [fold.number for one in runs if (fold := fold_of_seed(split, one.seed)) is not None]
    plural = "s" if len(runs) > 1 else ""
    if not folds:
        return f"{split}, seed{plural} {format_seeds(one.seed for one in runs)}"
    return f"{split}, fold{plural} {format_seeds(folds)} of {USUAL_FOLDS}"


def _mean(values: Sequence[float]) -> str:
    """Write a share over seeds: its mean, and where there are several, the interval of that."""
    from train.evaluation.seeds import summarize_values
    from train.studies.table import share

    return share(summarize_values(values))


def figures_of(named: Mapping[str, Any], result: QuantizationResult) -> RunFigures:
    """Return the figures of a run whose int8 model passed.

    Args:
        named: its `network`, `split` and `seed`.
        result: what `quantize.quantization.quantize` returned.
    """
    held_out, unseen = result.decision.held_out, result.decision.unseen
    turned = unseen.malignant_to_benign()
    return RunFigures(
        **named,
        n=held_out.n,
        float_accuracy=result.float_report["accuracy"],
        int8_accuracy=result.int8_report["accuracy"],
        flips=len(held_out.flipped),
        malignant_to_benign=0 if turned is None else len(turned),
        step=result.recovery.chosen.step,
    )


def _time(network: str, path: Path) -> Timing:
    from edge.bench import measure_end_to_end
    from edge.model_file import read_model_file
    from edge.smear import render_field

    model = read_model_file(path)
    timed = measure_end_to_end(model, render_field("Early", 0), threads=1)
    return Timing(network, len(model.content) / 1e6, timed.bare.p50_ms, timed.ratio)


@click.command()
@click.argument("study", type=PATH)
@click.option("--data", type=PATH, help="The images, where they have moved since training.")
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    help="Only runs such as 'mobilenet-v2/random-*'; may be given several times.",
)
@click.option("--again", is_flag=True, help="Quantize anew what was quantized before.")
@click.option("--json", "as_json", is_flag=True, help="Print every run's figures as JSON.")
def main(study: Path, data: Path | None, only: tuple[str, ...], again: bool, as_json: bool) -> None:
    """Print what int8 costs in a study's runs; exit with 1 if a figure is worse than promised."""
    from train.keras_loading import load_keras

    load_keras()
    figures, timings = measure(study, data, only, again=again)
    if as_json:
        rows = {"runs": [asdict(one) for one in figures], "timings": [asdict(t) for t in timings]}
        print_json(rows, indent=2)
    else:
        click.echo(as_markdown(figures, timings))
    if broken := broken_promises(figures, timings):
        click.echo("\n".join(broken), err=True)
        click.get_current_context().exit(1)


if __name__ == "__main__":
    sys.exit(run(command=main))
