"""The gate: paired statistics against their definitions, and decisions at their borders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from edge.errors import AccuracyGateError, QuantizationError
from quantize.accuracy_gate.comparison import Comparison, compare
from quantize.accuracy_gate.criterion import Criterion
from quantize.accuracy_gate.decision import Decision, decide
from quantize.accuracy_gate.paired import (
    agreement_limit,
    drop_limits,
    images_for_agreement,
    images_for_drop,
    mcnemar,
)
from quantize.accuracy_gate.refusal import require_passed
from quantize.gate_report import Evidence, write_gate_report
from quantize.recovery.attempt import Attempt
from quantize.recovery.ladder import Recovery
from quantize.recovery.layer_errors import LayerError

LABELS = ("Benign", "Early", "Pro")


def _comparison(n: int, changes: dict[tuple[int, int, int], int] | None = None) -> Comparison:
    """Make n images, classes in turn, all right but for some (class, float, int8): how many."""
    targets = np.arange(n, dtype=np.int64) % len(LABELS)
    float_classes, int8_classes = targets.copy(), targets.copy()
    for (target, of_float, of_int8), count in (changes or {}).items():
        unchanged = (targets == target) & (float_classes == targets) & (int8_classes == targets)
        chosen = np.flatnonzero(unchanged)[:count]
        float_classes[chosen], int8_classes[chosen] = of_float, of_int8
    return compare(targets, _scores(float_classes), _scores(int8_classes), LABELS)


def _scores(classes: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(len(LABELS), dtype=np.float32)[classes]


def _states(decision: Decision) -> dict[str, str]:
    return {f"{one.name}, {one.images}": one.state for one in decision.checks}


def _constrained_score(lost: int, gained: int, n: int, delta: float) -> float:
    """Tango's statistic with the likelihood maximized by search."""

    def loss(share: float) -> float:
        shares = (share + delta, share, 1 - 2 * share - delta)
        counts = (lost, gained, n - lost - gained)
        return -sum(k * np.log(max(p, 1e-300)) for k, p in zip(counts, shares, strict=True))

    bounds = (max(0.0, -delta), (1 - delta) / 2)
    share = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return float((lost - gained - n * delta) / np.sqrt(n * (2 * share + delta - delta**2)))


@pytest.mark.parametrize(("lost", "gained", "n"), [(5, 2, 100), (1, 9, 60), (12, 12, 44)])
def test_limits_of_a_drop_are_where_the_score_test_turns(lost: int, gained: int, n: int) -> None:
    low, high = drop_limits(lost, gained, n)
    assert low < (lost - gained) / n < high
    assert _constrained_score(lost, gained, n, low) == pytest.approx(1.6449, abs=2e-3)
    assert _constrained_score(lost, gained, n, high) == pytest.approx(-1.6449, abs=2e-3)


def test_limits_without_a_change_shrink_with_the_images() -> None:
    z = 1.6448536
    for n in (10, 513, 20_000):
        assert drop_limits(0, 0, n)[1] == pytest.approx(z * z / (n + z * z))
    assert drop_limits(50, 0, 50)[1] == 1.0
    assert drop_limits(0, 50, 50)[0] == -1.0
    assert drop_limits(3, 1, 80)[0] == pytest.approx(-drop_limits(1, 3, 80)[1])


def test_agreement_limit_and_mcnemar_are_binomial_tails() -> None:
    limit = agreement_limit(510, 513)
    assert binom.sf(509, 513, limit) == pytest.approx(0.05)
    assert agreement_limit(0, 9) == 0.0
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(6, 0) == pytest.approx(2 * 0.5**6)
    assert mcnemar(5, 2) == mcnemar(2, 5) == pytest.approx(2 * binom.cdf(2, 7, 0.5))


def test_number_that_is_enough_is_the_least() -> None:
    enough = images_for_drop(1, 0, 1000, 0.003)
    assert enough is not None
    assert drop_limits(enough / 1000, 0, enough)[1] <= 0.003
    assert drop_limits((enough - 1) / 1000, 0, enough - 1)[1] > 0.003
    assert images_for_drop(4, 0, 1000, 0.003) is None, "more images would not show it"
    assert images_for_agreement(1000, 1000, 0.995) == 598
    assert images_for_agreement(990, 1000, 0.995) is None


def test_outcome_is_failed_passed_or_too_few() -> None:
    many = _comparison(6000)
    passed = decide(many, many, Criterion())
    assert passed.outcome == "passed"
    assert set(_states(passed).values()) == {"shown"}
    few = _comparison(90)
    told = decide(few, few, Criterion())
    assert told.outcome == "too few images"
    by_name = {f"{one.name}, {one.images}": one for one in told.checks}
    check = by_name["Early sensitivity drop in points, all but the calibration set"]
    assert (check.state, check.n, check.enough) == ("too few images", 30, 539)
    assert by_name["malignant turned benign, all but the calibration set"].state == "shown"
    bad = _comparison(6000, {(1, 1, 2): 60})
    failed = decide(few, bad, Criterion())
    assert failed.outcome == "failed", "a missed limit outweighs too few images"


def test_what_is_held_on_these_images_need_not_be_shown() -> None:
    test, unseen = _comparison(513), _comparison(1200, {(1, 1, 2): 1})
    decision = decide(test, unseen, Criterion())
    assert decision.outcome == "passed"
    assert "held" in _states(decision).values()
    assert decide(test, unseen, Criterion(), must_show=True).outcome == "too few images"


def test_one_blast_that_turns_benign_fails_whatever_else_is_better() -> None:
    unseen = _comparison(6000, {(1, 1, 0): 1, (2, 1, 2): 20})
    assert unseen.drop_points < 0
    decision = decide(unseen, unseen, Criterion())
    assert decision.outcome == "failed"
    assert [one.name for one in decision.checks if one.state == "missed"] == [
        "malignant turned benign"
    ]
    allowed = decide(unseen, unseen, Criterion(max_malignant_to_benign=1))
    assert allowed.outcome == "passed"
    # What float has called benign already is no change.
    already = _comparison(6000, {(1, 0, 0): 5})
    turned = already.malignant_to_benign()
    assert turned is not None
    assert turned.size == 0


def test_limit_itself_is_allowed() -> None:
    unseen = _comparison(3000, {(1, 1, 2): 9})
    assert unseen.drop_points == pytest.approx(0.3)
    loose = {"max_sensitivity_drop_points": 5.0, "min_agreement": 0.9}
    assert decide(unseen, unseen, Criterion(0.3, **loose)).outcome == "passed"
    assert decide(unseen, unseen, Criterion(0.29, **loose)).outcome == "failed"


@pytest.mark.parametrize(
    "limits",
    [
        {"max_drop_points": float("nan")},
        {"max_drop_points": float("inf")},
        {"max_sensitivity_drop_points": 101.0},
        {"max_malignant_to_benign": -1},
        {"min_agreement": float("nan")},
        {"min_agreement": 1.1},
    ],
)
def test_limits_that_are_none_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(QuantizationError, match="Got: "):
        Criterion(**limits)  # type: ignore[arg-type]


def test_refusal_names_every_miss_and_the_next_step() -> None:
    few = _comparison(90)
    told = decide(few, few, Criterion())
    with pytest.raises(AccuracyGateError, match=r"n = 30.*539 images.*--accept-too-few") as refused:
        require_passed(told, None, accept_too_few=False)
    assert refused.value.exit_code == 1
    require_passed(told, None, accept_too_few=True)
    bad = _comparison(6000, {(1, 1, 0): 60})
    with pytest.raises(
        AccuracyGateError, match=r"malignant turned benign .* is 60 where"
    ) as missed:
        require_passed(decide(bad, bad, Criterion()), Path("out"), accept_too_few=True)
    assert "out/gate.html" in str(missed.value)
    assert "agreement with float" in str(missed.value)


def test_report_shows_every_change_with_both_scores(tiny_model: Path, tmp_path: Path) -> None:
    unseen = _comparison(60, {(1, 1, 0): 1, (2, 0, 2): 1})
    decision = decide(unseen.take(np.arange(30)), unseen, Criterion())
    images = np.random.default_rng(0).integers(0, 256, (60, 224, 224, 3), np.uint8)
    paths = [f"{LABELS[target]}/{place}<b>.png" for place, target in enumerate(unseen.targets)]
    folder = tmp_path / "gate"
    attempt = Attempt("plain", "as it is", tiny_model.read_bytes(), (), np.arange(3), decision)
    ranking = (LayerError("a/b;c", "CONV_2D", 0.1, 9.0), LayerError("d", "CONV_2D", 0.1, 0.3))
    recovery = Recovery([attempt, attempt], ranking)
    evidence = Evidence(images, paths, ["test"] * 60)
    write_gate_report(folder, recovery, {"network": "n"}, evidence)
    report = json.loads((folder / "gate.json").read_text())
    assert report["outcome"] == "failed"
    assert report["held_out"]["n"] == 30
    assert [one["path"] for one in report["flipped"]] == ["Early/1<b>.png", "Pro/2<b>.png"]
    first = report["flipped"][0]
    assert first["float"] == {"Benign": 0.0, "Early": 1.0, "Pro": 0.0}
    assert first["int8"] == {"Benign": 1.0, "Early": 0.0, "Pro": 0.0}
    page = (folder / "gate.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.count("data:image/png;base64,") == 1, "the layers' errors"
    assert all(one["milliseconds"] > 0 for one in report["attempts"])
    assert [one["steps"] for one in report["layer_errors"]] == [9.0, 0.3]
    assert "Early/1&lt;b&gt;.png" in page
    assert "missed" in page
