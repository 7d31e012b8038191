"""Selection and classification inside folds: nothing of a test part has a say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score

from edge.errors import DatasetError, SplitError, TrainingError
from train.deep_features.classifiers import CLASSIFIERS, class_scores
from train.deep_features.extraction import Features, without_constants
from train.deep_features.inner_folds import INNER_FOLDS, inner_folds
from train.deep_features.nested import Division, nested_scores
from train.deep_features.pipelines import Settings, build_pipeline
from train.deep_features.selection import SELECTORS, FeatureSelector

#: The columns of `material` that tell the classes apart.
TELLING = {3, 11, 20}


def material(n: int = 120) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of three classes, of which three columns of thirty tell one class each."""
    generator = np.random.default_rng(5)
    targets = np.arange(n) % 3
    values = generator.normal(size=(n, 30))
    for target, column in enumerate(sorted(TELLING)):
        values[targets == target, column] += 4.0
    # Scales differ, as those of features do.
    return (values * generator.uniform(0.1, 30, 30)).astype(np.float32), targets.astype(np.int64)


def division(n: int = 120) -> Division:
    order = np.random.default_rng(1).permutation(n)
    return Division("random", 0, np.arange(n), order[: 3 * n // 4], order[3 * n // 4 :])


@pytest.mark.parametrize("method", [name for name in SELECTORS if name != "pca"])
def test_each_selector_finds_the_telling_features(method: str) -> None:
    values, targets = material()
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    selector = FeatureSelector(method, 3).fit(scaled, targets)
    assert set(selector.order_[:3]) == TELLING
    assert np.array_equal(selector.transform(scaled), scaled[:, selector.order_[:3]])
    assert selector.kept == 3


def test_components_are_those_that_vary_most() -> None:
    values, targets = material()
    selector = FeatureSelector("pca", 4).fit(values, targets)
    found = selector.transform(values)
    assert found.shape == (120, 4)
    assert (np.diff(found.var(axis=0)) < 0).all()


def test_selector_that_selects_nothing_says_so() -> None:
    _, targets = material()
    noise = np.random.default_rng(0).normal(size=(120, 4)) * 1e-6
    with pytest.raises(TrainingError, match=r"keeps one feature or more.*none of 4 by lasso"):
        FeatureSelector("lasso", 3).fit(noise, targets)
    with pytest.raises(TrainingError, match="0 asked for"):
        FeatureSelector("anova", 0).fit(noise, targets)


def test_constant_features_are_refused_or_left_out() -> None:
    values, _ = material()
    values[:, [2, 7]] = 1.5
    features = Features("vgg19", "none", "key", np.arange(30), values)
    with pytest.raises(
        DatasetError, match=r"2 of 30 features of vgg19 \(random features\).*columns 2, 7.*--drop"
    ):
        without_constants(features, drop=False)
    kept = without_constants(features, drop=True)
    assert kept.values.shape == (120, 28)
    assert {2, 7}.isdisjoint(kept.columns)
    assert np.array_equal(kept.values, values[:, kept.columns])
    with pytest.raises(DatasetError, match="check its weights"):
        without_constants(
            Features("vgg19", "none", "key", np.arange(30), np.ones_like(values)), drop=True
        )


@pytest.mark.parametrize("selector", SELECTORS)
def test_scores_are_those_of_whole_pipelines(selector: str) -> None:
    """The shortcut of ranking once gives what fitting each pipeline inside each fold gives."""
    values, targets = material()
    outer = division()
    classifiers = ("logistic", "svm-linear", "knn")
    found = nested_scores(values, targets, outer, selector, classifiers, (2, 6))
    fitted_on = outer.fitted_on
    for name in classifiers:
        grid = {(row["count"], row["value"]): row["accuracies"] for row in found[name]["grid"]}
        assert set(grid) == {
            (count, value) for count in (2, 6) for value in CLASSIFIERS[name].values
        }
        count, value = found[name]["count"], found[name]["value"]
        assert np.mean(grid[count, value]) == max(map(np.mean, grid.values()))
        settings = Settings(selector, name, count, value, outer.seed)
        folds = inner_folds(targets[fitted_on], outer.groups[fitted_on], "random", outer.seed)
        for accuracy, (fit, score) in zip(grid[count, value], folds, strict=True):
            pipeline = build_pipeline(settings).fit(values[fitted_on[fit]], targets[fitted_on[fit]])
            wanted = pipeline.predict(values[fitted_on[score]])
            assert accuracy == pytest.approx(accuracy_score(targets[fitted_on[score]], wanted))
        pipeline = build_pipeline(settings).fit(values[fitted_on], targets[fitted_on])
        assert pipeline.predict(values[outer.tested_on]).tolist() == found[name]["predicted"]
        # Better than a guess among three, though PCA keeps noise besides.
        assert found[name]["accuracy"] > 0.45
        scores = class_scores(pipeline, values[outer.tested_on])
        assert scores.argmax(axis=1).tolist() == found[name]["predicted"]
        assert scores.sum(axis=1) == pytest.approx(1.0)


def test_test_part_has_no_say_in_what_is_chosen() -> None:
    values, targets = material()
    outer = division()
    before = nested_scores(values, targets, outer, "anova", ("logistic",), (2, 6))["logistic"]
    changed = targets.copy()
    changed[outer.tested_on] = (changed[outer.tested_on] + 1) % 3
    after = nested_scores(values, changed, outer, "anova", ("logistic",), (2, 6))["logistic"]
    assert after["grid"] == before["grid"]
    assert after["predicted"] == before["predicted"]
    assert after["accuracy"] != before["accuracy"]


@pytest.mark.parametrize("kind", ["random", "grouped"])
def test_inner_folds_keep_groups_whole(kind: str) -> None:
    groups = np.repeat(np.arange(30), 4)
    targets = (groups % 3).astype(np.int64)
    tested = np.zeros(120, int)
    for fit, score in inner_folds(targets, groups, kind, 0):  # type: ignore[arg-type]
        assert set(groups[fit]).isdisjoint(groups[score])
        assert set(targets[fit]) == set(targets[score]) == {0, 1, 2}
        tested[score] += 1
    assert (tested == 1).all()
    with pytest.raises(SplitError, match=f"{INNER_FOLDS} groups or more"):
        list(inner_folds(targets, targets, kind, 0))  # type: ignore[arg-type]


def test_every_classifier_tells_the_classes_apart() -> None:
    values, targets = material()
    found = nested_scores(values, targets, division(), "anova", tuple(CLASSIFIERS), (6,))
    assert all(one["accuracy"] > 0.8 for one in found.values())
    assert all(one["fit_seconds"] > 0 for one in found.values())
