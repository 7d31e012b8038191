"""Each layer's error as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

from quantize.float_graph import PASSING
from quantize.recovery.layer_errors import IDEAL, LayerError

#: The worst layers that are shown.
_SHOWN = 40

#: Greatest error in steps for which a linear axis will do.
_LINEAR_UP_TO = 2.0


def plot_layer_errors(ranking: Sequence[LayerError], in_float: Sequence[str]) -> bytes:
    """Draw the error of the worst layers in steps of their outputs.

    Args:
        ranking: the layers, the worst first; one or more.
        in_float: names of those that stay in float.

    Returns:
        A PNG.
    """
    from matplotlib.figure import Figure

    shown = [one for one in ranking[:_SHOWN] if one.kind not in PASSING][::-1]
    figure = Figure(figsize=(9, 1.2 + 0.26 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    colours = ["#d1495b" if one.name in in_float else "#5b2a86" for one in shown]
    axes.barh([_title(one) for one in shown], [one.steps for one in shown], color=colours)
    axes.axvline(IDEAL, color="#2b2138", linestyle="--", linewidth=1)
    if shown[-1].steps > _LINEAR_UP_TO:
        axes.set_xscale("log")
        axes.set_xlim(left=0.5 * min(IDEAL, *(one.steps for one in shown if one.steps > 0)))
    axes.set_xlabel("root mean square error in steps of the output; dashed: rounding alone, 1/√12")
    axes.tick_params(axis="y", labelsize=8)
    axes.margins(y=0.01)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if any(one.name in in_float for one in shown):
        axes.set_title("red: stays in float", loc="left", fontsize=9, color="#d1495b")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    return picture.getvalue()


def _title(one: LayerError) -> str:
    """Return a layer's name in short: the converter joins those of all that it has fused."""
    return f"{short_name(one.name)} ({one.kind.lower()})"


def short_name(name: str) -> str:
    """Return the telling part of a tensor's name, such as "block_3_expand_relu/Relu6"."""
    first = name.split(";")[0]
    return "/".join(first.split("/")[-2:])
