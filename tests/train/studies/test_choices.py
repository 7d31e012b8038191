"""Lists on the command line."""

from __future__ import annotations

import pytest

from edge.errors import TrainingError
from train.studies.choices import format_seeds, parse_names, parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0-4", (0, 1, 2, 3, 4)),
        ("3", (3,)),
        ("7, 0,2-3,2", (0, 2, 3, 7)),
        ("4294967295", (2**32 - 1,)),
    ],
)
def test_seeds_are_read(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "text",
    ["", "zero", "0-", "-1", "1.5", "4-0", "0,,1", "0-9999999", "4294967296", "²", "0-60,70-170"],
)
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(TrainingError, match="whole numbers"):
        parse_seeds(text)


def test_names_are_read_in_their_known_order() -> None:
    assert parse_names("c, a,c", "abc", "letters") == ("a", "c")
    with pytest.raises(TrainingError, match=r"The letters are a, b, c\. Got: d\."):
        parse_names("a,d", "abc", "letters")
    with pytest.raises(TrainingError, match="Got: nothing"):
        parse_names("", "abc", "letters")


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([0, 1, 2], "0 to 2"), ([0, 1], "0 and 1"), ([4], "4"), ([0, 2, 7], "0, 2 and 7")],
)
def test_seeds_are_written_as_one_would_say_them(seeds: list[int], text: str) -> None:
    assert format_seeds(seeds) == text
