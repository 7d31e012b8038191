"""Outcomes, tolerances and whole studies of robustness."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import BlastscopeError, DatasetError, ModelFileError, TrainingError
from edge.smear import write_dataset
from train.evaluation import EvaluationModel
from train.evaluation.intervals import wilson_interval
from train.robustness.catalogue import DEGRADATIONS
from train.robustness.degradation import Degradation
from train.robustness.exposure import under_exposure
from train.robustness.material import Material, gather, predict_classes
from train.robustness.outcome import compare, mean_interval
from train.robustness.study import ALTERATIONS, measure
from train.robustness.tolerance import tolerance

DARKER = Degradation("darker", "exposure", "stops", 0.0, (1.0, 2.0, 4.0, 6.0, 8.0), under_exposure)


def test_an_outcome_counts_right_and_unchanged_predictions() -> None:
    targets = np.array([0, 0, 1, 1, 2], np.int64)
    before = np.array([0, 1, 1, 1, 0], np.int64)
    after = np.array([0, 1, 2, 1, 2], np.int64)
    outcome = compare(after, before, targets)
    assert outcome.accuracy == pytest.approx(3 / 5)
    assert outcome.accuracy_ci95 == wilson_interval(3, 5)
    assert outcome.unchanged_share == pytest.approx(3 / 5)
    assert outcome.drop_points == pytest.approx(0.0)
    low, high = outcome.drop_points_ci95(np.arange(5), 0)
    # One image is lost and one is won: losses of up to three fifths are within chance.
    assert low == pytest.approx(-60.0, abs=21)
    assert high == pytest.approx(60.0, abs=21)


def test_bootstrap_interval_is_near_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    low, high = mean_interval(values, np.arange(400), 0)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)
    assert (low, high) == mean_interval(values, np.arange(400), 0)
    # Images that come in fours, all alike, are a quarter as many.
    fours = mean_interval(np.repeat(values, 4), np.repeat(np.arange(400), 4), 0)
    assert fours == pytest.approx((low, high))
    assert mean_interval(values[:1], np.zeros(1, np.int64), 0) == (values[0], values[0])


@pytest.mark.parametrize(
    ("accuracies", "severity", "value", "reached"),
    [
        # 0.98 is half way from 0.99 at severity 2 to 0.97 at severity 3.
        ((1.0, 0.99, 0.97, 0.9, 0.5), 2.5, 3.0, True),
        ((0.96, 0.9, 0.9, 0.9, 0.9), 0.5, 0.5, True),
        # Exactly two points are tolerated, and it counts where accuracy falls first.
        ((1.0, 1.0, 1.0, 1.0, 0.98), 5.0, 8.0, False),
        ((1.0, 0.96, 1.0, 1.0, 1.0), 1.5, 1.5, True),
    ],
)
def test_tolerance_is_interpolated(
    accuracies: tuple[float, ...], severity: float, value: float, reached: bool
) -> None:
    found = tolerance(DARKER, 1.0, accuracies)
    assert (found.severity, found.value) == pytest.approx((severity, value))
    assert found.reached is reached


def _brightness_model(
    labels: tuple[str, ...] | None = ("dark", "light"), side: int = 56
) -> EvaluationModel:
    """A network that looks at one thing only, so that its robustness is known."""

    def score(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert images.shape[1:] == (side, side, 3)
        light = images.mean(axis=(1, 2, 3)) > 127
        return np.stack([~light, light], axis=1).astype(np.float32)

    return EvaluationModel(score, labels, side, side, None)


def _material(models: dict[str, EvaluationModel]) -> Material:
    images = np.full((20, 112, 112, 3), 90, np.uint8)
    images[10:] = 165
    # The corner says the opposite of the image.
    images[:10, -17:, -24:] = 255
    targets = np.repeat([0, 1], 10).astype(np.int64)
    paths = tuple(Path(name) for name in models)
    return Material(
        models,
        paths,
        images,
        targets,
        np.arange(20),
        ("dark", "light"),
        "all",
        20,
        (None,) * len(models),
        (False,) * len(models),
        "0",
    )


def test_a_model_of_brightness_fails_where_brightness_changes() -> None:
    calls: list[tuple[int, int]] = []
    material = _material({"brightness": _brightness_model()})
    results = measure(material, progress=lambda done, total: calls.append((done, total)))
    result = results["brightness"]
    assert result.clean.accuracy == 1.0
    assert set(result.degradations) == {one.name for one in DEGRADATIONS}
    assert tuple(result.alterations) == ALTERATIONS
    for name in ("defocus", "motion blur", "JPEG", "sensor noise", "rotation"):
        assert [one.accuracy for one in result.degradations[name]] == [1.0] * 5
        assert not result.tolerances[name].reached
    # 165 is 0.376 of the light, and 127 is 0.212: light images turn dark within 0.83 stops.
    assert [one.accuracy for one in result.degradations["under-exposure"]] == [
        1,
        0.5,
        0.5,
        0.5,
        0.5,
    ]
    assert [one.unchanged_share for one in result.degradations["under-exposure"]][1] == 0.5
    assert 0.5 < result.tolerances["under-exposure"].value < 1.0
    everything = [one.accuracy for rows in result.degradations.values() for one in rows]
    assert result.mean_corruption_accuracy == pytest.approx(np.mean(everything))
    low, high = result.mean_corruption_accuracy_ci95
    assert low < result.mean_corruption_accuracy < high
    assert calls[-1] == (4 + 5 * len(DEGRADATIONS), 4 + 5 * len(DEGRADATIONS))


def test_a_model_of_the_corner_is_found_out() -> None:
    def score(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        bar = images[:, -4:, -4:].mean(axis=(1, 2, 3)) > 200
        return np.stack([bar, ~bar], axis=1).astype(np.float32)

    model = EvaluationModel(score, ("dark", "light"), 112, 112, None)
    result = measure(_material({"corner": model}))["corner"]
    assert result.clean.accuracy == 1.0
    assert result.alterations["corner blanked"].accuracy == 0.5
    assert result.alterations["corner swapped"].accuracy == 0.0
    assert result.alterations["corner swapped"].unchanged_share == 0.0
    assert result.alterations["corner swapped"].drop_points_ci95(np.arange(20), 0) == (
        100.0,
        100.0,
    )


def test_models_of_two_sizes_see_the_same_images() -> None:
    models = {"small": _brightness_model(), "large": _brightness_model(side=112)}
    results = measure(_material(models))
    for name, rows in results["small"].degradations.items():
        if name != "sensor noise":
            for small, other in zip(rows, results["large"].degradations[name], strict=True):
                assert small.accuracy == pytest.approx(other.accuracy, abs=0.051), name


def test_one_class_alone_has_no_corner_to_swap() -> None:
    material = _material({"brightness": _brightness_model()})
    one_class = Material(
        material.models,
        material.paths,
        material.images[:10],
        material.targets[:10],
        material.clusters[:10],
        *(getattr(material, name) for name in Material.__slots__[5:]),
    )
    assert tuple(measure(one_class)["brightness"].alterations) == ALTERATIONS[:2]


def test_a_model_of_other_classes_is_refused() -> None:
    with pytest.raises(DatasetError, match="2 classes"):
        predict_classes(_brightness_model(None), np.zeros((1, 56, 56, 3), np.uint8), "abc")


def test_images_are_chosen_by_part_and_number(
    finished_run: Path, tiny_model: Path, smears: Path
) -> None:
    material = gather([finished_run, tiny_model], smears, split_path=finished_run / "split.csv")
    assert list(material.models) == [finished_run.name, tiny_model.name]
    assert (len(material.images), material.n_in_part) == (96, 96)
    assert material.trained_on == (68, 68)
    assert material.same_data == (False, True)
    part = gather([finished_run], smears, part="test", per_class=3, seed=1)
    assert np.bincount(part.targets).tolist() == [3, 3, 3, 3]
    assert (part.n_in_part, part.trained_on) == (20, (0,))
    again = gather([finished_run], smears, part="test", per_class=3, seed=1)
    assert np.array_equal(part.images, again.images)
    other = gather([finished_run], smears, part="test", per_class=3, seed=2)
    assert not np.array_equal(part.images, other.images)


def test_what_cannot_be_studied_says_why(
    finished_run: Path, tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    other_part = tmp_path / "other"
    shutil.copytree(finished_run, other_part)
    split = (other_part / "split.csv").read_text()
    changed = split.replace("test", "-").replace("train", "test").replace("-", "train")
    (other_part / "split.csv").write_text(changed)
    write_dataset(tmp_path / "elsewhere", 1, seed=99)
    cases: list[tuple[type[BlastscopeError], str, list[Path], Path, dict[str, str]]] = [
        (ModelFileError, "named once", [tiny_model, tiny_model], smears, {}),
        (DatasetError, "not there", [tiny_model], tmp_path / "absent", {}),
        (TrainingError, "split is known", [tiny_model], smears, {"part": "test"}),
        (TrainingError, "same images", [finished_run, other_part], smears, {"part": "test"}),
        (DatasetError, "none in", [finished_run], tmp_path / "elsewhere", {"part": "test"}),
    ]
    for error, message, models, data, options in cases:
        with pytest.raises(error, match=message):
            gather(models, data, **options)  # type: ignore[arg-type]
