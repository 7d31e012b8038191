"""The distance of an embedding from those of the training, and how it is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.domain import Domain, read_domain, stored_bytes
from edge.errors import ModelFileError

DOMAIN = Domain(
    mean=np.array([1, 1, 1, 1], np.float32),
    axes=np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.float32),
    deviations=np.array([2, 0.5], np.float32),
    centres=np.array([[0, 0], [4, 0], [0, 3]], np.float32),
    rest=2.0,
)


def at(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_distance_is_to_the_nearest_class_in_its_deviations() -> None:
    assert DOMAIN.distance(at(1, 1, 1, 1)) == 0.0
    assert DOMAIN.distance(at(5, 1, 1, 1)) == 0.0
    # Two along the first axis: one deviation from both classes there, over two directions.
    assert DOMAIN.distance(at(3, 1, 1, 1)) == pytest.approx(0.5)
    assert DOMAIN.distance(at(1, 2, 1, 1)) == pytest.approx((1 / 0.5) ** 2 / 2)


def test_what_lies_outside_the_axes_adds_to_it() -> None:
    assert DOMAIN.distance(at(1, 1, 5, 1)) == pytest.approx(4.0)
    assert DOMAIN.distance(at(3, 1, 1, -3)) == pytest.approx(0.5 + 4.0)


def test_what_is_no_number_is_at_no_distance() -> None:
    assert np.isnan(DOMAIN.distance(at(1, np.nan, 1, 1)))


def test_distance_is_what_the_papers_say_where_axes_are_many() -> None:
    generator = np.random.default_rng(0)
    axes = np.linalg.qr(generator.normal(size=(1280, 16)))[0].T.astype(np.float32)
    domain = Domain(
        mean=generator.normal(size=1280).astype(np.float32),
        axes=axes,
        deviations=generator.uniform(0.5, 3, 16).astype(np.float32),
        centres=generator.normal(scale=4, size=(4, 16)).astype(np.float32),
        rest=2.5,
    )
    for embedding in generator.normal(scale=2, size=(20, 1280)).astype(np.float32):
        centred = embedding.astype(np.float64) - domain.mean
        along = axes.astype(np.float64) @ centred
        steps = (along - domain.centres) / domain.deviations
        expected = (steps**2).mean(axis=1).min() + (centred @ centred - along @ along) / 2.5**2
        assert domain.distance(embedding) == pytest.approx(expected, rel=1e-4)


def test_domain_survives_the_file() -> None:
    data = DOMAIN.to_bytes()
    assert len(data) == stored_bytes(4, 2, 3)
    again = read_domain(data, 4, 2, 3)
    for name in ("mean", "axes", "deviations", "centres", "rest"):
        np.testing.assert_allclose(getattr(again, name), getattr(DOMAIN, name))


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_domain_of_another_length_is_refused(cut: int) -> None:
    with pytest.raises(ModelFileError, match=f"bytes in place of {stored_bytes(4, 2, 3)}"):
        read_domain(DOMAIN.to_bytes()[:-cut], 4, 2, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"rest": 0.0},
        {"rest": float("nan")},
        {"deviations": at(1, 0)},
        {"deviations": at(1, -1)},
        {"mean": at(0, 0, 0, float("inf"))},
    ],
    ids=str,
)
def test_numbers_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ModelFileError, match="no numbers, or deviations"):
        read_domain(replace(DOMAIN, **change).to_bytes(), 4, 2, 3)  # type: ignore[arg-type]
