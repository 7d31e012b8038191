"""Specimens that are simulated, and groups of images that stand for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.classifier import Classifier
from edge.specimen import SpecimenRule
from edge.specimen.error_rates import BetaRate, ErrorRates
from train.image_set import read_image_set
from train.specimen.pseudo_specimens import answer_groups
from train.specimen.simulation import simulate

RATES = ErrorRates(BetaRate.of_counts(215, 216, 0.1), BetaRate.of_counts(40, 40, 0.1))


def test_simulated_specimens_of_one_kind_are_answered() -> None:
    rule = SpecimenRule()
    for share, answer in ((1.0, "malignant"), (0.0, "benign")):
        report = simulate(RATES, rule, share, 10, 0.0, seed=0)
        assert report["answers"][answer] >= 8
        assert sum(report["answers"].values()) == 10
        assert report["missed"] <= 2
        assert 10 < report["fields"] < 80
    assert simulate(RATES, rule, 1.0, 3, 1.0, seed=0)["answers"]["refer"] == 3


def test_groups_are_answered_one_by_one(smears: Path) -> None:
    image_set = read_image_set(smears, 224, 224)
    chosen = np.arange(len(image_set), dtype=np.int64)
    groups = chosen % 2
    told: list[tuple[int, int]] = []
    with Classifier.load("fast") as classifier:
        rows = answer_groups(
            classifier,
            image_set,
            chosen,
            groups,
            12,
            SpecimenRule(),
            lambda done, total: told.append((done, total)),
        )
    assert [(row["group"], row["label"]) for row in rows] == [
        (group, label) for group in (0, 1) for label in image_set.labels
    ]
    for row in rows:
        counts = row["fields"]
        seen = counts["results"] + counts["referred"] + counts["repeated"] + counts["seen_before"]
        assert seen == 12
    assert told[-1] == (96, 96)
