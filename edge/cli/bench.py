"""blastscope bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.cli.options import (
    MODEL,
    PATH,
    json_option,
    note,
    print_json,
    progress_bar,
    stop_on_signals,
)
from edge.errors import BlastscopeError, DatasetError

#: As many cores as a Pi has, and fewer.
_USUAL_THREADS = (1, 2, 4)

#: Side of the frame that is timed, in pixels.
_USUAL_SIDE = 224

#: Enough for an early-stopping estimate of p99, which takes 662.
_ROUNDS = 700


@click.command(
    "bench",
    epilog="""\b
Examples:
  blastscope bench mobilenet-v2 custom-cnn fast
  blastscope bench model.tflite --end-to-end --against mediapipe
  blastscope bench model.tflite --sustained 10 --out hot
  blastscope bench precisions/*.tflite --data images --split run/split.csv --out bench
  blastscope bench model.tflite --data images --against mediapipe,openvino""",
)
@click.argument("model_path", metavar="MODEL...", type=MODEL, nargs=-1, required=True)
@click.option("--data", type=PATH, help="Labelled images to measure accuracy on.")
@click.option("--split", type=PATH, help="A split.csv: take the images of one part alone.")
@click.option(
    "--part",
    type=click.Choice(("train", "validation", "test", "all")),
    default="test",
    show_default=True,
    help="Which part of --split.",
)
@click.option("--labels", help="Classes of models without a card, in the outputs' order, A,B,C.")
@click.option(
    "--reference",
    metavar="NAME",
    help="The model that others are to agree with; float32, or the first float model, if left out.",
)
@click.option(
    "--threads",
    metavar="N,N",
    help="Numbers of cores; the first also for accuracy and memory.  [default: 1,2,4 as far as "
    "the machine has them]",
)
@click.option(
    "--against",
    metavar="NAME,NAME",
    default="",
    help="Other runtimes that run the models too, where they are installed: mediapipe, "
    "onnxruntime, openvino.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=_ROUNDS, show_default=True)
@click.option(
    "--time-limit",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="No further round begins after this.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--width",
    type=click.IntRange(min=1),
    help="Of the simulated frame that is timed without --data.  [default: 224; with --end-to-end "
    "224 x 224, 640 x 480 and 4056 x 3040 in turn]",
)
@click.option("--height", type=click.IntRange(min=1), help="The same.")
@click.option(
    "--end-to-end",
    is_flag=True,
    help="What decoding, preprocessing, quality, network and decision take, against the bare "
    "network and --against.",
)
@click.option(
    "--sustained",
    metavar="MINUTES",
    type=click.FloatRange(min=0, min_open=True),
    help="Classify without a pause, and tell how heat and throttling slow it down.",
)
@click.option("--out", type=PATH, help="Folder for the figures as JSON, and pictures of them.")
@json_option
def command(
    model_path: tuple[Path, ...],
    data: Path | None,
    split: Path | None,
    part: str,
    labels: str | None,
    reference: str | None,
    threads: str | None,
    against: str,
    rounds: int,
    time_limit: float,
    seed: int,
    width: int | None,
    height: int | None,
    end_to_end: bool,
    sustained: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare models of any precision: accuracy, speed, size, memory and energy.

    MODEL is a one-file model, a plain TFLite file, or the name of a model that comes along. With
    --data every model classifies every image, and the same loaded models are then timed in turns;
    without it a simulated frame is timed. The ratio says what preprocessing costs on top of the
    bare interpreter's invoke; the milliseconds are this machine's alone. Ctrl-C prints what was
    measured so far.
    """
    from edge.bench.comparison import Options, compare
    from edge.bench.images import choose_part, find_images
    from edge.bench.picture import plot_pareto, require_matplotlib
    from edge.bench.report import comparison_report
    from edge.bench.sessions import read_sources
    from edge.cli.bench_tables import describe
    from edge.output import make_folder, require_absent, require_writable, write_json
    from edge.smear import render_field

    stop_on_signals()
    counts, too_many = choose_threads(threads)
    peers = _choose_peers(against)
    if out is not None:
        require_absent(out)
        require_writable(out)
        if data is not None or end_to_end or sustained is not None:
            require_matplotlib()
    if end_to_end or sustained is not None:
        if data is not None or split is not None or (end_to_end and sustained is not None):
            raise BlastscopeError(
                "--end-to-end and --sustained time simulated frames, one of the two at a time",
                got="both" if end_to_end and sustained is not None else "--data or --split besides",
                next_step="Run one after the other, without --data and --split",
            )
        cores = 1 if threads is None else counts[0]
        if end_to_end:
            from edge.cli.bench_end_to_end import FRAME_SIZES, run_end_to_end

            sizes = FRAME_SIZES if width is None and height is None else [_size(width, height)]
            run_end_to_end(
                model_path,
                sizes=sizes,
                threads=cores,
                peers=peers,
                rounds=rounds,
                seed=seed,
                out=out,
                as_json=as_json,
            )
        else:
            from edge.cli.bench_sustained import run_sustained

            run_sustained(
                model_path,
                minutes=sustained or 0.0,
                size=_size(width, height),
                threads=cores,
                out=out,
                as_json=as_json,
            )
        return
    if split is not None and data is None:
        raise DatasetError(
            "A split divides the images of --data",
            got="--split without --data",
            next_step="Name the images with --data DIR",
        )
    images = None if data is None else find_images(data)
    about: dict[str, Any] = {"threads_left_out": too_many, "notes": []}
    if too_many:
        about["notes"].append(
            f"Left out: {', '.join(map(str, too_many))} threads, more than the cores here; "
            "--threads asks for them."
        )
    if images is not None and split is not None:
        images, missing = choose_part(images, split, part)
        about |= {"split": str(split), "part": part, "missing": missing}
        if missing:
            about["notes"].append(f"{missing} images of the {part} part are not under {data}.")
    size = _size(width, height)
    options = Options(
        threads=counts,
        rounds=rounds,
        time_limit_s=time_limit,
        seed=seed,
        labels=_words(labels) or None,
        reference=reference,
    )
    comparison = compare(
        read_sources(model_path),
        images,
        render_field("Early", 0, width=size[0], height=size[1]),
        peers,
        options,
        progress_bar,
    )
    report = comparison_report(comparison, about)
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(describe(comparison, about))
    if out is not None:
        make_folder(out)
        write_json(out / "bench.json", report)
        if comparison.pareto():
            plot_pareto(out / "pareto.png", comparison)
        note(f"Written: {', '.join(str(path) for path in sorted(out.iterdir()))}")
    if comparison.interrupted:
        raise KeyboardInterrupt


def _size(width: int | None, height: int | None) -> tuple[int, int]:
    """Return a frame's width and height; where one of them is not given, it is square."""
    return width or height or _USUAL_SIDE, height or width or _USUAL_SIDE


def choose_threads(words: str | None) -> tuple[tuple[int, ...], list[int]]:
    """Return the numbers of threads to measure, and those left out for want of cores.

    Args:
        words: such as "1,4"; None takes 1, 2 and 4 as far as there are cores.

    Raises:
        BlastscopeError: the words are no such numbers.
    """
    from edge.bench.environment import available_cores

    if words is None:
        cores = available_cores()
        fitting = tuple(count for count in _USUAL_THREADS if count <= cores)
        return fitting, [count for count in _USUAL_THREADS if count > cores]
    counts = tuple(int(word) for word in _words(words) if word.isdecimal() and int(word) > 0)
    if len(counts) != len(_words(words)) or len(set(counts)) != len(counts) or not counts:
        raise BlastscopeError(
            "--threads takes whole numbers from 1 on, each once, with commas between them",
            got=words,
            next_step="Give --threads 1,4, say",
        )
    return counts, []


def _choose_peers(words: str) -> tuple[str, ...]:
    from edge.bench.peers import PEERS

    peers = _words(words)
    if unknown := [peer for peer in peers if peer not in PEERS]:
        raise BlastscopeError(
            f"--against takes {', '.join(PEERS)}",
            got=", ".join(unknown),
            next_step="Name one or more of them, with commas between them",
        )
    return tuple(dict.fromkeys(peers))


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())
