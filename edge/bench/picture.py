"""The picture of accuracy against latency."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.bench.comparison import Comparison
from edge.bench.entries import Entry
from edge.bench.latency import summarize
from edge.errors import MissingPackageError
from edge.output import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FRONT_COLOUR = "#5b2a86"
_OTHER_COLOUR = "#6f6f6f"

#: The latency axis is logarithmic where the slowest takes so many times as long as the fastest.
_LOG_FROM = 4.0

#: Where a label may lie beside its point, in points of 1/72 inch, the best first; the other way
#: round where the next point is on the right.
_PLACES = [
    (side * across, up)
    for side in (1, -1)
    for across in (8, 22, 40)
    for up in (6, -6, 20, -20, 34, -34, 48, -48)
]


def require_matplotlib() -> None:
    """Refuse to start long work whose picture could not be drawn.

    Raises:
        MissingPackageError: matplotlib is not installed, as on a station.
    """
    if find_spec("matplotlib") is None:
        raise MissingPackageError(
            "The picture of accuracy against latency takes matplotlib",
            got="not installed",
            next_step="Install it with `pip install matplotlib`, or leave --out out and keep what "
            "--json prints",
        )


def plot_pareto(path: Path, comparison: Comparison) -> None:
    """Draw each model's accuracy with its interval over its median latency, as PNG.

    Args:
        path: the file.
        comparison: one in which accuracy and latency were measured.

    Raises:
        OutputError: the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

    figure = Figure(figsize=(9, 5.4), layout="constrained")
    # matplotlib's own annotations leave these methods without types.
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.subplots()
    front = [_point(entry) for entry in comparison.pareto()]
    colours = {}
    for entry in comparison.entries:
        latency, share = _point(entry)
        low, high = (share, share) if entry.accuracy is None else entry.accuracy.ci95
        colours[entry.name] = _FRONT_COLOUR if (latency, share) in front else _OTHER_COLOUR
        axes.errorbar(
            latency,
            share,
            [[share - low], [high - share]],
            fmt="o",
            color=colours[entry.name],
            capsize=3,
            linewidth=1,
        )
    latencies = [_point(entry)[0] for entry in comparison.entries]
    # What lies to the right of and below this line is beaten.
    corners = [*front, (max(latencies), front[-1][1])]
    steps = axes.step(*zip(*corners, strict=True), where="post", color=_FRONT_COLOUR, linewidth=1)
    axes.legend(steps, ["Pareto front"], frameon=False, loc="lower right")
    if max(latencies) > _LOG_FROM * min(latencies):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(x=0.18, y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    threads = comparison.options.threads[0]
    axes.set_xlabel(f"median latency in milliseconds, {threads} thread{'s' if threads > 1 else ''}")
    count = 0 if comparison.images is None else len(comparison.images.paths)
    axes.set_ylabel(f"accuracy with 95 % interval, n = {count}")
    machine = comparison.machine
    axes.set_title(_plain(machine.board or machine.cpu), fontsize="medium")
    canvas.draw()
    _label_points(axes, comparison.entries, colours, canvas.get_renderer())
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _point(entry: Entry) -> tuple[float, float]:
    """Return a model's median latency in milliseconds and its accuracy."""
    share = 0.0 if entry.accuracy is None else entry.accuracy.share
    return summarize(entry.tracks[0].classify_ms).p50_ms, share


def _free_side(entry: Entry, entries: list[Entry]) -> int:
    """Return 1 for the right, and -1 for the left where the next point is on the right."""
    own = _point(entry)[0]
    others = [_point(other)[0] for other in entries if other is not entry]
    nearest = min(others, key=lambda latency: abs(math.log(latency / own)), default=own)
    return -1 if nearest > own else 1


def _label_points(axes: Axes, entries: list[Entry], colours: dict[str, str], renderer: Any) -> None:
    """Write each model's name beside its point, where it covers no other name and no interval."""
    from matplotlib.transforms import Bbox

    taken = []
    for entry in entries:
        latency, share = _point(entry)
        low, high = (share, share) if entry.accuracy is None else entry.accuracy.ci95
        (x, y), (_, bottom), (_, top) = axes.transData.transform(
            [(latency, share), (latency, low), (latency, high)]
        )
        taken += [Bbox([[x - 2, bottom], [x + 2, top]]), Bbox([[x - 6, y - 6], [x + 6, y + 6]])]
    frame = axes.get_window_extent(renderer)
    for entry in sorted(entries, key=_point):
        side = _free_side(entry, entries)
        for across, up in [(side * across, up) for across, up in _PLACES]:
            far = abs(up) > 6 or abs(across) > 8
            label = axes.annotate(
                _plain(entry.name),
                _point(entry),
                (across, up),
                textcoords="offset points",
                ha="left" if across > 0 else "right",
                va="center",
                fontsize="small",
                color=colours[entry.name],
                arrowprops={"arrowstyle": "-", "color": "#b0b0b0", "linewidth": 0.6}
                if far
                else None,
            )
            # The box of the words alone: an annotation's own takes in its line.
            box = _words_box(label, renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0
            free = not any(box.overlaps(other) for other in taken)
            if (inside and box.y1 <= frame.y1 and free) or (side * across, up) == _PLACES[-1]:
                taken.append(box)
                break
            label.remove()


def _words_box(label: Any, renderer: Any) -> Any:
    from matplotlib.text import Text

    label.update_positions(renderer)
    return Text.get_window_extent(label, renderer)


def _plain(text: str) -> str:
    """Return a text in which no dollar sign begins a formula."""
    return text.replace("$", r"\$")
