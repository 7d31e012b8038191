"""blastscope audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import PATH, json_option, percent, print_json, progress_bar, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from train.image_set import Progress

#: Groups of doubles that are named before the rest is only counted.
_NAMED = 10


@click.command(
    "audit",
    epilog="""\b
Examples:
  blastscope audit images --out audit.html
  blastscope audit images --json > audit.json

\b
The images lie as images/<class>/*.jpg or images/Original/<class>/*.jpg.
Shortcuts are colour alone, the bottom right corner alone, the background without white cells, and
the files' outside. What a plain classifier scores by them shows nothing about cells.""",
)
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, help="HTML page to write, with pictures of all that was found.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 6),
    default=0,
    show_default=True,
    help="Of the first of five splits of each kind, and of the examples.",
)
@json_option
def command(data: Path, out: Path | None, seed: int, as_json: bool) -> None:
    """Look an image set over before training: what is in it, wrong with it, and gives it away.

    Counts, sizes and formats; unreadable files; exact and near duplicates; images in several
    classes; inferred acquisition groups (pseudo-groups); and what shortcuts score under random and
    grouped splits. The exit code is 1 if files cannot be read or images lie in several classes.
    """
    from edge.output import require_absent, require_writable
    from train.audit.audit import audit

    if out is not None:
        require_absent(out)
        require_writable(out)
    with _bars() as bar:
        found = audit(
            data,
            seed=seed,
            read_progress=bar("Reading images"),
            score_progress=bar("Scoring shortcuts"),
        )
    if out is not None:
        from train.audit.page import write_page

        write_page(out, found, seed)
    if as_json:
        print_json(found.report, indent=2)
    else:
        _print(found.report)
        click.echo(f"\nPage: {out}" if out is not None else "\nWith --out PAGE.html also pictures.")
    if not found.usable:
        click.get_current_context().exit(1)


@contextmanager
def _bars() -> Iterator[Callable[[str], Progress]]:
    """Yield a function that makes progress bars, each of which appears when it is first called."""
    with ExitStack() as stack:

        def make(label: str) -> Progress:
            shown: list[Progress] = []

            def show(done: int, total: int) -> None:
                if not shown:
                    shown.append(stack.enter_context(progress_bar(label)))
                shown[0](done, total)

            return show

        yield make


def _print(report: dict[str, Any]) -> None:
    from train.audit.tables import class_rows, shortcut_rows

    version = report["data_sha256"][:12]
    click.echo(f"{report['n']} images in {len(report['classes'])} classes, version {version}\n")
    click.echo(table(("class", "n", "format", "pixels", "median size"), class_rows(report)))
    unreadable = [f"{one['path']}: {one['reason']}" for one in report["unreadable"]]
    for title, lines, serious in (
        ("unreadable files", unreadable, True),
        ("images in several classes", _chains(report["label_conflicts"]), True),
        ("groups of identical files", _chains(report["exact_duplicates"]), False),
        ("groups of near duplicates", _chains(report["near_duplicates"]), False),
    ):
        click.echo(f"\n{title}: {len(lines)}")
        # What must be mended is named in full.
        for line in lines if serious else lines[:_NAMED]:
            click.echo(f"  {line}")
        if not serious and len(lines) > _NAMED:
            click.echo(f"  and {len(lines) - _NAMED} more; --json names them all")
    groups = report["pseudo_groups"]
    click.echo(f"\npseudo-groups: {groups['n']}, of one class: {groups['of_one_class']}\n")
    _print_shortcuts(report["shortcuts"], shortcut_rows(report["shortcuts"]))
    for sentence in [*report["verdicts"], *report["must_mend"]]:
        click.echo(f"\n{sentence}")


def _chains(groups: list[list[str]]) -> list[str]:
    return [" = ".join(group) for group in groups]


def _print_shortcuts(shortcuts: dict[str, Any], rows: list[tuple[str, ...]]) -> None:
    splits = shortcuts["splits"]
    if rows:
        rows = [
            *rows,
            *(
                (title, *(percent(split.get(key)) for split in splits.values()))
                for title, key in (("largest class", "majority"), ("balanced chance", "chance"))
            ),
        ]
        click.echo(table(("accuracy of shortcuts", *(f"{name} splits" for name in splits)), rows))
        sizes = ", ".join(f"{name} {one['n']}" for name, one in splits.items() if "n" in one)
        click.echo(
            f"(mean over seeds {shortcuts['seeds'][0]} to {shortcuts['seeds'][-1]}; test images: "
            f"{sizes}; 95 % Wilson interval of one test part)"
        )
    for name, split in splits.items():
        if "error" in split:
            click.echo(f"{name} splits: {split['error']}")
