"""Layers that stay in float, the fewest that will do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quantize.convert import quantize_calibrated
from quantize.float_graph import OUTPUT_AXIS, PASSING, FloatGraph
from quantize.recovery.attempt import Attempt, Judge, score
from quantize.recovery.layer_errors import LayerError

STEP = "float layers"

#: How many of the worst layers are tried in each round.
_WIDTH = 8

#: Rounds before it is given up: a network with more float layers is hardly an int8 one.
_ROUNDS = 8

#: Calibration images on which candidates are compared, about.
_MOST_IMAGES = 64


def fall_back(
    calibrated: bytes,
    ranking: Sequence[LayerError],
    images: NDArray[np.uint8],
    float_scores: NDArray[np.float32],
    calibration: NDArray[np.int64],
    judge: Judge,
) -> Iterator[Attempt]:
    """Yield networks with more and more float layers until one passes, then with fewer again.

    The ranking says which layers to try, and the whole network's scores on calibration images which
    of them to take: a layer whose input has lost what it needs is no better in float, so that it is
    tried together with the one before it as well. Once the gate is passed, each layer is given
    back if the gate is passed without it.

    Args:
        calibrated: as `quantize.convert.calibrate` returns it.
        ranking: the layers, the worst first.
        images: of the calibration pool; RGB, uint8, shape (n, side, side, 3).
        float_scores: of the float network on them; float32, shape (n, classes).
        calibration: which of them the network was calibrated on; int64.
        judge: holds each against the gate.
    """
    shown = calibration[:: max(1, len(calibration) // _MOST_IMAGES)]
    images, float_scores = images[shown], float_scores[shown]
    graph = FloatGraph(calibrated)
    layers = [one.name for one in ranking if one.kind in OUTPUT_AXIS]

    def build(chosen: frozenset[str]) -> bytes:
        return quantize_calibrated(calibrated, sorted(with_passing(graph, chosen)))

    def distance(chosen: frozenset[str]) -> float:
        return float(np.abs(score(build(chosen), images) - float_scores).mean())

    def attempt_with(chosen: frozenset[str]) -> Attempt:
        order = [one.name for one in graph.operations if one.name in chosen]
        detail = f"{len(order)} of {len(layers)} layers in float"
        content = build(chosen)
        return Attempt(STEP, detail, content, tuple(order), calibration, judge.decide(content))

    chosen: frozenset[str] = frozenset()
    for _ in range(_ROUNDS):
        left = [name for name in layers if name not in chosen]
        if not left:
            return
        candidates = {chosen | {name} for name in left[:_WIDTH]}
        candidates |= {chosen | {name, *layers_before(graph, name)} for name in left[:_WIDTH]}
        chosen = min(candidates, key=lambda one: (round(distance(one), 5), len(one), sorted(one)))
        attempt = attempt_with(chosen)
        yield attempt
        if attempt.held:
            yield from _give_back(chosen, layers, attempt_with)
            return


def with_passing(graph: FloatGraph, chosen: frozenset[str]) -> set[str]:
    """Return layers with the operations behind them that only pass values on, such as pooling.

    They cost nothing in float, and in int8 would round what the layer has kept.
    """
    whole = set(chosen)
    for one in graph.operations:
        if one.kind in PASSING and any(source in whole for source in one.sources):
            whole.add(one.name)
    return whole


def layers_before(graph: FloatGraph, name: str) -> set[str]:
    """Return the layers with weights whose outputs a layer takes, through others if need be."""
    by_name = {one.name: one for one in graph.operations}
    found: set[str] = set()
    waiting = list(by_name[name].sources)
    while waiting:
        source = by_name[waiting.pop()]
        if source.kind in OUTPUT_AXIS:
            found.add(source.name)
        else:
            waiting += source.sources
    return found


def _give_back(
    chosen: frozenset[str],
    layers: Sequence[str],
    attempt_with: Callable[[frozenset[str]], Attempt],
) -> Iterator[Attempt]:
    """Yield networks with fewer float layers that pass as well, beginning with the least bad."""
    for name in reversed([name for name in layers if name in chosen]):
        fewer = chosen - {name}
        if not fewer:
            return
        attempt = attempt_with(fewer)
        if attempt.held:
            chosen = fewer
            yield attempt
