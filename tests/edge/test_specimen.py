"""From fields to a specimen: intervals that hold under likeness, errors and many looks."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest

from edge.errors import BlastscopeError, ModelFileError
from edge.labels import SMEAR_LABELS
from edge.model_file import ModelFile, read_model_file
from edge.prediction import Prediction
from edge.shipped_models import find_model
from edge.smear import render_field
from edge.specimen import Specimen, SpecimenRule
from edge.specimen.error_rates import BetaRate, ErrorRates, class_rates, malignant_rates
from edge.specimen.places import Places
from edge.specimen.quadrature import beta_quadrature
from edge.specimen.rule import TOO_MANY_REFERRED, UNDECIDED, Decider, Fields
from edge.specimen.share import ShareLikelihood

FIELDS = 60


@pytest.fixture(scope="module")
def model() -> ModelFile:
    return read_model_file(find_model("fast"))


def said(label: str = "Pre", decision: str = "result") -> Prediction:
    return Prediction(label, {}, {}, "m", decision)  # type: ignore[arg-type]


def gathered(model: ModelFile, rule: SpecimenRule | None = None, **counts: int) -> Specimen:
    specimen = Specimen(model, rule)
    for what, count in counts.items():
        for _ in range(count):
            specimen.add(said(what) if what in SMEAR_LABELS else said(decision=what))
    return specimen


# Statistics


@pytest.mark.parametrize("shape", [(7.0, 0.3), (8.6, 0.02), (0.5, 0.5), (40.0, 3.0)])
def test_quadrature_gives_the_moments_of_a_beta_distribution(shape: tuple[float, float]) -> None:
    points, weights = beta_quadrature(BetaRate(*shape))
    assert weights.sum() == pytest.approx(1.0)
    assert ((points >= 0.0) & (points <= 1.0)).all()
    moment, (a, b) = 1.0, shape
    for power in range(1, 20):
        moment *= (a + power - 1) / (a + b + power - 1)
        assert float(weights @ points**power) == pytest.approx(moment, rel=1e-6)


def test_rate_of_a_new_specimen_scatters_as_counts_and_correlation_say() -> None:
    """By drawing: a mean rate from Jeffreys' posterior, and about it a specimen's own."""
    generator = np.random.default_rng(0)
    means = generator.beta(38.5, 2.5, 400_000)
    own = generator.beta(means * 9.0, (1.0 - means) * 9.0)
    rate = BetaRate.of_counts(38, 40, correlation=0.1)
    assert rate.mean == pytest.approx(own.mean(), abs=0.001)
    spread = rate.mean * (1.0 - rate.mean) / (rate.a + rate.b + 1.0)
    assert spread == pytest.approx(own.var(), rel=0.02)


def test_without_errors_the_interval_is_the_binomial_one_of_the_martingale() -> None:
    """By hand: the share's likelihood against its mean over 0, 1 and shares in between."""
    sure = BetaRate(1e7, 1e-2)
    likelihood = ShareLikelihood(ErrorRates(sure, sure), 1.0)
    shares = np.linspace(0.0, 1.0, 101)
    expected = np.full(101, 0.2 / 101)
    expected[[0, -1]] += 0.4
    for positive, n in ((3, 10), (20, 40)):
        chance = shares**positive * (1.0 - shares) ** (n - positive)
        inside = shares[chance > 0.05 * (chance @ expected)]
        low, high = likelihood.interval(positive, n, 0.95)
        assert inside[0] - 0.01 < low <= inside[0]
        assert inside[-1] <= high < inside[-1] + 0.01
        assert likelihood.best(positive, n) == pytest.approx(positive / n, abs=0.006)


def draw(
    generator: np.random.Generator, share: float, rates: ErrorRates, design_effect: int
) -> np.ndarray:
    """What a model says of one specimen's fields: errors alike, each field several times over."""
    found = generator.beta(rates.sensitivity.a, rates.sensitivity.b)
    spared = generator.beta(rates.specificity.a, rates.specificity.b)
    malignant = generator.random(FIELDS // design_effect) < share
    told = generator.random(len(malignant)) < np.where(malignant, found, 1.0 - spared)
    return np.repeat(told, design_effect)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_interval_holds_at_every_look(share: float) -> None:
    """100 specimens, looked at after every third field: few ever miss the truth.

    Wilson's interval, which takes fields and errors for independent and one look for the only one,
    is wrong of a good part of them.
    """
    rates = ErrorRates(BetaRate.of_counts(210, 216, 0.1), BetaRate.of_counts(38, 40, 0.1))
    likelihood = ShareLikelihood(rates, 2.0)
    generator = np.random.default_rng(int(share * 10))
    missed = wilson = 0
    specimens = 100
    for _ in range(specimens):
        positive = np.cumsum(draw(generator, share, rates, 2))
        looks = range(1, FIELDS, 3)
        missed += any(
            not low <= share <= high
            for low, high in (likelihood.interval(float(positive[n]), n + 1, 0.95) for n in looks)
        )
        for n in looks:
            p, z2 = positive[n] / (n + 1), 1.96**2 / (n + 1)
            half = math.sqrt(p * (1 - p) * z2 + z2**2 / 4)
            if not p + z2 / 2 - half - 1e-9 <= share * (1 + z2) <= p + z2 / 2 + half + 1e-9:
                wilson += 1
                break
    # Of 100, more than 10 at a true share of 5 % is a matter of one in a hundred.
    assert missed <= 10
    if 0.0 < share < 1.0:
        assert wilson > 20


def test_alike_errors_keep_an_interval_from_shrinking_to_nothing() -> None:
    def width(correlation: float, n: int) -> float:
        rate = BetaRate.of_counts(38_000, 40_000, correlation)
        low, high = ShareLikelihood(ErrorRates(rate, rate), 1.0).interval(n // 2, n, 0.95)
        return high - low

    assert width(0.0, 40) > 0.3
    assert width(0.0, 1000) < 0.2
    assert width(0.1, 1000) > 0.3


def test_fields_in_pairs_count_half(model: ModelFile) -> None:
    rates = malignant_rates(model)
    assert ShareLikelihood(rates, 2.0).interval(20, 60, 0.95) == pytest.approx(
        ShareLikelihood(rates, 1.0).interval(10, 30, 0.95)
    )


def test_rates_are_the_cards(model: ModelFile) -> None:
    figures = model.card["metrics"]["int8"]["per_class"]["Benign"]
    rates = malignant_rates(model, 0.0)
    assert rates.specificity.mean == pytest.approx(figures["sensitivity"], abs=0.02)
    assert rates.sensitivity.mean == pytest.approx(figures["specificity"], abs=0.01)
    early = class_rates(model, "Early", 0.0)
    figures = model.card["metrics"]["int8"]["per_class"]["Early"]
    assert early.sensitivity.mean == pytest.approx(figures["sensitivity"], abs=0.02)


def test_model_without_figures_or_a_benign_class_is_refused(model: ModelFile) -> None:
    card = {name: part for name, part in model.card.items() if name != "metrics"}
    with pytest.raises(ModelFileError, match="how often it errs"):
        Specimen(dataclasses.replace(model, card=card))
    card = {**model.card, "decision": {**model.card["decision"], "benign_label": None}}
    with pytest.raises(ModelFileError, match="which class is benign"):
        Specimen(dataclasses.replace(model, card=card))


# The answer


def test_nothing_seen_is_no_answer(model: ModelFile) -> None:
    answer = Specimen(model).answer()
    assert (answer.verdict, answer.interval) == ("more", (0.0, 1.0))
    assert answer.outcome.share is None
    assert answer.more_fields is not None
    assert 5 < answer.more_fields < 30


@pytest.mark.parametrize(("label", "verdict"), [("Pre", "malignant"), ("Benign", "benign")])
def test_as_many_fields_as_were_asked_for_give_the_answer(
    model: ModelFile, label: str, verdict: str
) -> None:
    specimen = gathered(model, **{label: 3})
    asked = specimen.answer().more_fields
    assert asked is not None
    for _ in range(asked - 1):
        specimen.add(said(label))
        assert specimen.outcome.verdict == "more"
    specimen.add(said(label))
    answer = specimen.answer()
    assert answer.verdict == verdict
    assert answer.more_fields is None
    assert answer.stage == (label if verdict == "malignant" else None)


def test_mixed_specimen_is_referred_when_no_number_of_fields_would_decide(model: ModelFile) -> None:
    early = gathered(model, Pre=1, Benign=2).answer()
    assert early.verdict == "more", "too soon to give up"
    late = gathered(model, Pre=50, Benign=90).answer()
    assert (late.verdict, late.outcome.reasons) == ("refer", (UNDECIDED,))
    patient = gathered(model, SpecimenRule(most_fields=20), Benign=20).answer()
    assert patient.verdict == "refer"


def test_too_many_referred_fields_refer_the_specimen(model: ModelFile) -> None:
    answer = gathered(model, Pre=9, refer=6).answer()
    assert answer.verdict == "refer"
    assert TOO_MANY_REFERRED in answer.outcome.reasons
    assert answer.referred == 6


def test_referred_fields_may_be_of_either_kind(model: ModelFile) -> None:
    """They widen the interval on both sides, and can only delay an answer."""
    decider = Decider(malignant_rates(model), SpecimenRule())
    low, high = decider.interval(Fields(30, 60, 0))
    wider = decider.interval(Fields(30, 60, 10))
    assert wider[0] < low
    assert wider[1] > high
    assert gathered(model, Benign=50).answer().verdict == "benign"
    assert gathered(model, Benign=50, refer=5).answer().verdict == "more"


def test_frames_to_be_taken_again_count_for_nothing(model: ModelFile) -> None:
    without, answer = gathered(model, Pre=8).answer(), gathered(model, Pre=8, repeat=50).answer()
    assert answer.outcome == without.outcome
    assert (answer.repeated, answer.results, answer.malignant) == (50, 8, 8)


def test_benign_share_is_the_complement_of_the_malignant_one(model: ModelFile) -> None:
    answer = gathered(model, Benign=25, Early=9, refer=3).answer()
    low, high = answer.classes["Benign"].interval
    assert (1.0 - high, 1.0 - low) == pytest.approx(answer.interval, abs=0.001)
    shown = answer.as_json()
    assert sum(one["fields"] for one in shown["classes"].values()) == 34
    assert shown["notice"].startswith("Research use only")


@pytest.mark.parametrize(
    "words",
    [
        {"benign_share": 0.6},
        {"malignant_share": 1.0},
        {"confidence": 1.0},
        {"correlation": 1.0},
        {"design_effect": 0.5},
        {"most_fields": 0},
    ],
)
def test_rules_that_cannot_be_are_refused(words: dict[str, float]) -> None:
    with pytest.raises(BlastscopeError, match="Got: "):
        SpecimenRule(**words)  # type: ignore[arg-type]


# Places


def test_a_place_counts_once_however_it_is_lit_and_focused(model: ModelFile) -> None:
    field = render_field("Pre", 5, width=320, height=240)
    noise = np.random.default_rng(0).normal(0.0, 6.0, field.shape)
    again = [
        field,
        np.clip(field + noise, 0, 255).astype(np.uint8),
        cv2.GaussianBlur(field, (0, 0), 2.0),
        (field * 0.8).astype(np.uint8),
    ]
    specimen = Specimen(model)
    assert [specimen.add(said(), frame) for frame in again] == [True, False, False, False]
    assert specimen.add(said(), render_field("Pre", 6, width=320, height=240))
    answer = specimen.answer()
    assert (answer.results, answer.seen_before) == (2, 3)


def test_places_differ_under_the_same_uneven_light() -> None:
    down, across = np.mgrid[-1:1:240j, -1:1:320j]
    light = np.exp(-0.8 * (down**2 + across**2))[..., None]
    places = Places()
    fields = [render_field("Early", seed, width=320, height=240) for seed in range(6)]
    assert all(places.add((field * light).astype(np.uint8)) for field in fields)
    assert not places.add((fields[0] * light).astype(np.uint8))


def test_a_frame_to_be_taken_again_does_not_use_its_place_up(model: ModelFile) -> None:
    field = render_field("Pre", 5)
    specimen = Specimen(model)
    assert not specimen.add(said(decision="repeat"), cv2.GaussianBlur(field, (0, 0), 3.0))
    assert specimen.add(said(), field)
