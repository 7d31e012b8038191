"""When there is a result, and what is said where there is none."""

from __future__ import annotations

import pytest

from edge.decision import (
    NO_CLASS,
    REASONS,
    SEVERAL_CLASSES,
    UNLIKE_TRAINING,
    Limits,
    decide,
)
from edge.quality import Finding

SURE = {"Benign": 0.02, "Early": 0.95, "Pre": 0.02, "Pro": 0.01}
LIMITS = Limits(least_probability=0.3, most_distance=5.0)


def test_one_likely_class_within_the_domain_is_a_result() -> None:
    decision = decide(SURE, 5.0, LIMITS)
    assert (decision.verdict, decision.reasons, decision.likely) == ("result", (), ("Early",))


@pytest.mark.parametrize("distance", [5.001, float("inf"), float("nan")])
def test_frame_beyond_the_domain_is_referred(distance: float) -> None:
    decision = decide(SURE, distance, LIMITS)
    assert (decision.verdict, decision.reasons) == ("refer", (UNLIKE_TRAINING,))


def test_several_or_no_likely_classes_are_referred() -> None:
    several = decide({"Benign": 0.4, "Early": 0.6}, 0.0, LIMITS)
    assert (several.verdict, several.reasons) == ("refer", (SEVERAL_CLASSES,))
    assert several.likely == ("Benign", "Early")
    none = decide({"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}, 9.0, LIMITS)
    assert none.reasons == (UNLIKE_TRAINING, NO_CLASS)
    assert none.likely == ()


def test_tie_of_two_classes_is_no_result() -> None:
    assert decide({"Benign": 0.5, "Early": 0.5}, 0.0, LIMITS).verdict == "refer"


def test_model_without_limits_always_answers() -> None:
    assert decide({"a": 0.5, "b": 0.5}, None, None).verdict == "result"
    assert decide({"Benign": 0.5, "Early": 0.5}, None, None).likely == ("Early",)
    assert decide(SURE, None, Limits(0.3, None)).verdict == "result"


def test_bad_quality_comes_before_any_opinion() -> None:
    dark = Finding("brightness", 90.0, 200.0, "Too dark: turn the lamp up")
    decision = decide(SURE, 99.0, LIMITS, [dark])
    assert (decision.verdict, decision.reasons) == ("repeat", ("too dark",))
    assert decision.instructions == ("Too dark: turn the lamp up",)


def test_every_reason_says_what_to_do() -> None:
    decision = decide({"a": 0.2, "b": 0.1}, 99.0, LIMITS)
    assert decision.instructions == (REASONS[UNLIKE_TRAINING], REASONS[NO_CLASS])
    assert all(text.endswith(".") for text in REASONS.values())
