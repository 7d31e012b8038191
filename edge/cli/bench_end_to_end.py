"""blastscope bench --end-to-end: what each stage takes, from an image file to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edge.bench.end_to_end import EndToEnd, measure_end_to_end
from edge.bench.environment import describe_machine, read_conditions
from edge.bench.sessions import ModelSource, Session, read_sources
from edge.cli.options import note, print_json, progress_bar, table
from edge.errors import MissingPackageError, ModelFileError

#: Width and height of the frames: a network's input, a small camera's frame, and a Raspberry Pi
#: High Quality Camera's still.
FRAME_SIZES = ((224, 224), (640, 480), (4056, 3040))

#: Frames of more pixels than this are timed a fifth as often.
_LARGE = 2_000_000


def run_end_to_end(
    paths: Sequence[Path],
    *,
    sizes: Sequence[tuple[int, int]],
    threads: int,
    peers: Sequence[str],
    rounds: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure, print, and write what was asked for.

    Args:
        paths: one-file models.
        sizes: widths and heights of the simulated frames.
        threads: cores for the network.
        peers: other runtimes to time on the same frames.
        rounds: how often each is timed.
        seed: of the order.
        out: folder for end_to_end.json and end_to_end.png; None for none.
        as_json: print JSON in place of tables.

    Raises:
        ModelFileError: a model cannot be run, or has no card.
    """
    from edge.output import make_folder, write_json
    from edge.smear import render_field

    before = read_conditions(Path("/"))
    results: dict[str, list[EndToEnd]] = {}
    left_out: dict[str, str] = {}
    for source in read_sources(paths):
        results[source.name] = []
        for width, height in sizes:
            frame = render_field("Early", 0, width=width, height=height)
            with ExitStack() as stack:
                sessions = _load_peers(source, peers, threads, stack, left_out)
                label = f"{source.name}, {width} x {height}"
                with progress_bar(label) as show:
                    results[source.name].append(
                        measure_end_to_end(
                            _require_card(source),
                            frame,
                            rounds=rounds if width * height <= _LARGE else max(1, rounds // 5),
                            threads=threads,
                            peers=sessions,
                            seed=seed,
                            progress=show,
                        )
                    )
    report = {
        "machine": asdict(describe_machine(Path("/"))),
        "before": asdict(before),
        "after": asdict(read_conditions(Path("/"))),
        "seed": seed,
        "models": {
            name: [{**asdict(one), "shares": one.shares()} for one in measured]
            for name, measured in results.items()
        },
        "left_out": left_out,
    }
    if as_json:
        print_json(report, indent=2)
    else:
        click.echo(_describe(report, results, left_out))
    if out is not None:
        make_folder(out)
        write_json(out / "end_to_end.json", report)
        from edge.bench.stage_picture import plot_stages

        plot_stages(out / "end_to_end.png", results)
        note(f"Written: {', '.join(str(path) for path in sorted(out.iterdir()))}")


def _require_card(source: ModelSource) -> Any:
    if source.model is None:
        raise ModelFileError(
            "A decision takes a one-file model with its card",
            got=f"{source.path}, a plain TFLite file",
            next_step="Give it a card with `blastscope pack`, or leave --end-to-end out",
        )
    return source.model


def _load_peers(
    source: ModelSource,
    peers: Sequence[str],
    threads: int,
    stack: ExitStack,
    left_out: dict[str, str],
) -> dict[str, Session]:
    from edge.bench.peers import load_peer

    sessions: dict[str, Session] = {}
    for peer in peers:
        try:
            session = load_peer(peer, source, threads)
        except (MissingPackageError, ModelFileError) as error:
            left_out[f"{source.name} ({peer})"] = str(error)
            continue
        stack.callback(session.close)
        sessions[peer] = session
    return sessions


def _describe(
    report: dict[str, Any], results: dict[str, list[EndToEnd]], left_out: dict[str, str]
) -> str:
    machine = report["machine"]
    first = next(iter(results.values()))[0]
    load = report["before"]["load_average"]
    lines = [
        f"{machine['board'] or machine['cpu']}, {machine['cores']} cores, {first.runtime} "
        f"(delegate {first.delegate}), {first.threads} thread{'s'[: first.threads > 1]} for the "
        f"network, load {'not told' if load is None else format(load, '.2f')} at the start; "
        "median milliseconds",
    ]
    rows = []
    for name, measured in results.items():
        for one in measured:
            shares = one.shares()
            milliseconds = {"decode": one.decode.p50_ms, **one.stages}
            rows.append(
                [
                    name,
                    f"{one.frame_width} x {one.frame_height}",
                    *(f"{milliseconds[key]:.2f} ({shares[key]:.0%})" for key in shares),
                ]
            )
    stages = list(first.shares())
    lines += ["", table(["model", "frame", *stages], rows)]
    peers = sorted(
        {peer for measured in results.values() for one in measured for peer in one.peers}
    )
    rows = []
    for name, measured in results.items():
        for one in measured:
            row = [
                name,
                f"{one.frame_width} x {one.frame_height}",
                str(one.rounds),
                f"{one.decision.p50_ms:.2f}",
                f"{one.decision.p90_ms:.2f}",
                f"{one.bare.p50_ms:.2f}",
                f"{one.ratio:.2f}",
                f"{one.first_ratio:.2f}",
                "–" if one.explained_ratio is None else f"{one.explained_ratio:.2f}",
            ]
            for peer in peers:
                timing = one.peers.get(peer)
                row += (
                    ["–", "–"]
                    if timing is None
                    else [f"{timing.p50_ms:.2f}", f"{one.peer_ratios[peer]:.2f}"]
                )
            rows.append(row)
    header = ["model", "frame", "rounds", "frame to decision", "p90", "bare invoke", "ratio"]
    header += ["ratio of first", "with embedding and activation"]
    for peer in peers:
        header += [peer, "times ours"]
    lines += ["", table(header, rows), ""]
    lines.append(
        "Quality is judged beside the network: its time is what that adds. Frame to decision "
        "begins with a frame in memory. All take turns of several frames, one after another; the "
        "first of each finds what another left in the caches, and counts in its own column alone. "
        "Ratios are medians over the turns. "
        "Embedding and class activation come out of the same invoke: the last column before other "
        "runtimes' is that invoke over the bare one."
    )
    lines += [f"Not measured: {name}. {why}" for name, why in left_out.items()]
    return "\n".join(lines)
