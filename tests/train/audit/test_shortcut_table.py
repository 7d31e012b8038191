"""Means over splits, and the sentences drawn from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from train.audit.shortcut_table import REPEATS, shortcut_table, verdicts
from train.audit.shortcuts import CLASSIFIERS, SHORTCUTS
from train.evaluation.metrics import wilson_interval
from train.image_set import ImageSet


@pytest.fixture
def coloured(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    count = 120
    targets = np.repeat([0, 1], count // 2).astype(np.int64)
    return ImageSet(
        folder=tmp_path_factory.mktemp("none"),
        labels=("a", "b"),
        paths=tuple(map(str, range(count))),
        targets=targets,
        images=np.zeros((count, 2, 2, 3), np.uint8),
        thumbnails=np.zeros((count, 2, 2), np.uint8),
        digests=tuple(map(str, range(count))),
    )


def features_of(image_set: ImageSet, smears: int) -> dict[str, np.ndarray]:
    """Make "colour" that of one of several smears, each of one class; all else is noise."""
    generator = np.random.default_rng(0)
    n = len(image_set)
    smear = np.arange(n) % smears + smears * image_set.targets
    colours = np.eye(2 * smears)[smear] + generator.normal(0, 0.01, (n, 2 * smears))
    features = {name: generator.normal(size=(n, 3)) for name in SHORTCUTS}
    return {**features, "colour": colours}


def test_colour_of_a_smear_tells_less_once_smears_are_undivided(coloured: ImageSet) -> None:
    features = features_of(coloured, 10)
    alone = np.arange(len(coloured))
    smears = (alone % 10 + 10 * coloured.targets).astype(np.int64)
    calls: list[tuple[int, int]] = []
    table = shortcut_table(
        coloured,
        features,
        {"random": alone, "grouped": smears},
        seed=3,
        progress=lambda *call: calls.append(call),
    )
    assert table["seeds"] == [3, 4, 5, 6, 7]
    assert calls[-1] == (2 * REPEATS, 2 * REPEATS)
    random, grouped = table["splits"]["random"], table["splits"]["grouped"]
    assert random["chance"] == 0.5
    assert random["majority"] == pytest.approx(0.5, abs=0.02)
    colour = "colour, 5 nearest neighbours"
    assert random["baselines"][colour]["accuracy"] > 0.95
    assert grouped["baselines"][colour]["accuracy"] < 0.8
    for split in (random, grouped):
        for one in split["baselines"].values():
            assert one["lowest"] <= one["accuracy"] <= one["highest"]
            n = split["n"]
            assert one["accuracy_ci95"] == list(wilson_interval(round(one["accuracy"] * n), n))


def test_set_that_cannot_be_grouped_says_so_and_is_scored_at_random(coloured: ImageSet) -> None:
    alone = np.arange(len(coloured))
    table = shortcut_table(
        coloured, features_of(coloured, 3), {"random": alone, "grouped": coloured.targets}
    )
    assert "baselines" in table["splits"]["random"]
    assert "Got:" in table["splits"]["grouped"]["error"]
    assert any("cannot be divided by pseudo-groups" in sentence for sentence in verdicts(table))


def table_of(random: dict[str, float], grouped: dict[str, float]) -> dict[str, Any]:
    def split(accuracies: dict[str, float]) -> dict[str, Any]:
        return {
            "majority": 0.4,
            "baselines": {
                f"{shortcut}, {classifier}": {
                    "accuracy": accuracies.get(shortcut, 0.4) - 0.05 * number
                }
                for shortcut in SHORTCUTS
                for number, classifier in enumerate(CLASSIFIERS)
            },
        }

    return {
        "shortcuts": SHORTCUTS,
        "splits": {"random": split(random), "grouped": split(grouped)},
    }


def test_sentences_say_what_a_split_cannot_show() -> None:
    (colour,) = verdicts(table_of({"colour": 0.96}, {"colour": 0.8}))
    assert colour.startswith("Colour alone tells the class (96.0% of test images")
    assert "a random split of this set cannot show that a model has learnt cells" in colour
    assert "Under grouped splits it tells 80.0%" in colour
    (still,) = verdicts(table_of({"background": 0.96}, {"background": 0.95}))
    assert "Under grouped splits it still tells 95.0%" in still
    (part,) = verdicts(table_of({"corner": 0.7}, {"corner": 0.5}))
    assert "tells the class in part" in part
    assert "cannot show" not in part
    (container,) = verdicts(table_of({"container": 1.0}, {"container": 1.0}))
    assert "The files' outside" in container
    assert verdicts(table_of({}, {})) == ["None of the shortcuts that were tried tells the class."]


def test_nothing_is_said_of_a_set_that_cannot_be_divided() -> None:
    table = {"shortcuts": SHORTCUTS, "splits": {"random": {"error": "x"}, "grouped": {}}}
    assert "cannot be divided" in verdicts(table)[0]
