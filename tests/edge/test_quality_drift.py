"""Drift: seeded streams that stand still, and such that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from edge.quality import DriftWarning, DriftWatch, Quality, load_limits
from edge.quality.trend import BLOCK, Trend

LIMITS = load_limits()
USUAL = replace(
    Quality(251.0, 0.0, 0.01, 120.0, -3.4, 1.5, 0.95, 0.92, 0.06, 23.0),
    green_red=LIMITS.typical["green_red"],
    blue_yellow=LIMITS.typical["blue_yellow"],
)
#: How much single fields differ; about as those of one laboratory do.
SCATTER = {
    "brightness": 2.5,
    "clipped_white": 0.02,
    "green_red": 1.0,
    "blue_yellow": 1.2,
    "sharpness": 0.06,
}
START = 1000

Drift = Callable[[int], dict[str, float]]


def stream(
    seed: int, frames: int, drift: Drift | None = None, likeness: float = 0.0
) -> Iterator[Quality]:
    """Yield fields that scatter, each by `likeness` like the one before; every fiftieth is odd."""
    generator = np.random.default_rng(seed)
    away = np.zeros(len(SCATTER))
    for frame in range(frames):
        fresh = generator.normal(size=len(SCATTER))
        away = likeness * away + (1.0 - likeness**2) ** 0.5 * fresh
        odd = 8.0 * generator.normal(size=len(SCATTER)) * (generator.random(len(SCATTER)) < 0.02)
        added = {} if drift is None or frame < START else drift(frame - START)
        values = {
            name: getattr(USUAL, name) + SCATTER[name] * step + added.get(name, 0.0)
            for name, step in zip(SCATTER, away + odd, strict=True)
        }
        yield replace(USUAL, **{name: float(value) for name, value in values.items()})


def first_warning(
    qualities: Iterator[Quality], calibration: Quality | None = USUAL
) -> tuple[int, DriftWarning] | None:
    watch = DriftWatch(LIMITS, calibration)
    for frame, quality in enumerate(qualities):
        if warnings := watch.update(quality):
            return frame, warnings[0]
    return None


@pytest.mark.parametrize("likeness", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_what_stands_still_raises_no_alarm_in_10000_frames(seed: int, likeness: float) -> None:
    assert first_warning(stream(seed, 10_000, likeness=likeness)) is None


@pytest.mark.parametrize(
    ("name", "end", "direction", "word"),
    [
        ("brightness", 0, "falling", "turn the lamp up"),
        ("clipped_white", 1, "rising", "turn the lamp down"),
        ("green_red", 0, "falling", "green"),
        ("blue_yellow", 1, "rising", "yellow"),
        ("sharpness", 0, "falling", "focus up or down"),
    ],
)
@pytest.mark.parametrize("calibration", [USUAL, None])
def test_drift_is_told_before_the_limit(
    name: str, end: int, direction: str, word: str, calibration: Quality | None
) -> None:
    """Each reaches its limit 4,000 frames after it began to drift."""
    limit = (LIMITS.limits[name].low, LIMITS.limits[name].high)[end]
    assert limit is not None
    way = limit - getattr(USUAL, name)
    drifting = stream(7, START + 4000, lambda age: {name: way * age / 4000})
    found = first_warning(drifting, calibration)
    assert found is not None
    frame, warning = found
    assert (warning.measure, warning.direction) == (name, direction)
    assert START < frame < START + 2600
    assert warning.limit == pytest.approx(limit)
    assert word in str(warning)
    assert warning.frames_left is not None
    true_left = START + 4000 - frame
    assert 0.4 * true_left < warning.frames_left < 2.5 * true_left


def test_warning_ends_when_the_lamp_is_mended() -> None:
    watch = DriftWatch(LIMITS, USUAL)
    mended = stream(3, 6000, lambda age: {"brightness": -0.01 * age if age < 2500 else 0.0})
    told = [[warning.measure for warning in watch.update(quality)] for quality in mended]
    assert told[START + 2400] == ["brightness"]
    assert told[-1] == []


def test_level_near_its_limit_is_told_from_the_calibration_frame() -> None:
    """The lamp was turned down between calibration and the first frame: nothing drifts."""
    low = LIMITS.limits["brightness"].low
    assert low is not None
    near = replace(USUAL, brightness=low + 0.1 * (USUAL.brightness - low))
    watch, blind = DriftWatch(LIMITS, USUAL), DriftWatch(LIMITS)
    for _ in range(8 * BLOCK):
        warnings, unseen = watch.update(near), blind.update(near)
    assert [warning.measure for warning in warnings] == ["brightness"]
    assert warnings[0].frames_left is None
    assert unseen == []


def test_casts_are_judged_against_the_calibration_frame() -> None:
    yellow = replace(USUAL, blue_yellow=USUAL.blue_yellow + 20.0)
    watch = DriftWatch(LIMITS, yellow)
    for _ in range(1000):
        assert watch.update(yellow) == []


def test_frames_in_quick_succession_are_one() -> None:
    """A live camera at 20 frames a second for 8 hours, its lamp dimming; 2 seconds are kept."""
    watch = DriftWatch(LIMITS, USUAL)
    for number, quality in enumerate(stream(5, 5000, lambda age: {"brightness": -0.006 * age})):
        for repeat in range(3):
            warnings = watch.update(quality, number * 2.0 + repeat * 0.05)
        if warnings:
            break
    assert START < number < 4000
    (warning,) = warnings
    assert warning.frames_left is not None
    assert warning.seconds_left == pytest.approx(2.0 * warning.frames_left)
    assert "minutes" in str(warning)
    assert warning.as_json()["seconds_left"] == warning.seconds_left


def test_fields_without_edges_say_nothing_about_focus() -> None:
    watch = DriftWatch(LIMITS, USUAL)
    empty = replace(USUAL, sharpness=0.0)
    for frame, quality in enumerate(stream(1, 4000)):
        assert watch.update(empty if frame % 2 and frame > START else quality) == []


def test_memory_is_bounded() -> None:
    trend = Trend(0.1)
    for value in np.random.default_rng(0).normal(size=5000).tolist():
        trend.update(value)
    held = sum(len(one) for one in vars(trend).values() if hasattr(one, "__len__"))
    assert held <= 64
