"""The card's schema: our checker against the jsonschema package, and the document against both."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edge.errors import ModelFileError
from edge.json_schema import find_faults
from edge.model_archive import CARD_NAME
from edge.model_card import card_schema, parse_card
from tests.edge.small_model import make_model, take_apart

_ROOT = Path(__file__).resolve().parents[2]

#: Values of every type, at and beyond limits.
_VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        2.0,
        1.0,
        0.5,
        1.5,
        2**40,
        10**400,
        1e300,
        "",
        "x",
        "RGB",
        "x" * 300,
    ),
    *("a\nb", "a\n", "\x7f", "0" * 64, "g" * 64, "golden/0.png", "golden/01.png", "passed"),
    *([], {}, [1, 2], ["a", "b"], ["a", "a"], [0.1, 0.9], [1, True], [None], {"n": 1}),
    {"bytes": 1, "sha256": "0" * 64},
    {"temperature": 1.5, "folded": True},
]


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    """A card with everything that a card can hold."""
    card: dict[str, Any] = json.loads(take_apart(make_model())[1][CARD_NAME])
    share = {"n": 5, "sensitivity": 1.0, "sensitivity_ci95": [0.5, 1.0], "specificity": None}
    report = {"n": 20, "accuracy": 0.9, "accuracy_ci95": [0.7, 1.0], "per_class": {"Pro": share}}
    card["metrics"] = {"part": "test", "float": report, "int8": report}
    card["gate"] = {"outcome": "passed", "checks": []}
    card["quantization"] = {"scheme": "int8", "calibration_images": 5, "calibration_sha256": None}
    card["training"] = {
        "data_sha256": "0" * 64,
        "split_sha256": "1" * 64,
        "split": "random",
        "split_kind": "random",
        "seed": 0,
        "blastscope": "0.1.0",
    }
    card["decision"]["temperature"] = {"temperature": 1.2, "folded": True, "n": 20}
    return card


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key in a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def test_schema_is_one_and_the_card_keeps_to_it(card: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(card_schema())
    jsonschema.Draft202012Validator(card_schema()).validate(card)
    assert list(find_faults(card, card_schema())) == []
    assert parse_card(Path("x"), json.dumps(card).encode()) == card


def test_checker_agrees_with_jsonschema_on_changed_cards(card: dict[str, Any]) -> None:
    """Which cards are faulty, and where; on each field in turn, with values of every type."""
    validator = jsonschema.Draft202012Validator(card_schema())
    choose = random.Random(0)
    faulty = 0
    for index in range(len(list(places(card)))):
        for value in choose.sample(_VALUES, 8):
            changed = copy.deepcopy(card)
            container, key = list(places(changed))[index]
            container[key] = value
            theirs = {
                ".".join(map(str, error.absolute_path)) for error in validator.iter_errors(changed)
            }
            mine = list(find_faults(changed, card_schema()))
            assert bool(theirs) == bool(mine), (key, value, theirs, mine)
            faulty += bool(mine)
    assert faulty > 500


@pytest.mark.parametrize("field", ["format", "labels", "golden", "graph", "decision", "notice"])
def test_absent_field_is_named(card: dict[str, Any], field: str) -> None:
    changed = {name: value for name, value in card.items() if name != field}
    assert (field, "must be there") in list(find_faults(changed, card_schema()))
    with pytest.raises(ModelFileError, match=f"{field} must be there"):
        parse_card(Path("x"), json.dumps(changed).encode())


def test_numbers_that_json_has_not_are_refused(card: dict[str, Any]) -> None:
    for number in ("NaN", "Infinity", "1e999", "1" * 5000):
        text = json.dumps(card).replace('"mean": 128', f'"mean": {number}')
        assert text != json.dumps(card)
        with pytest.raises(ModelFileError, match="must be complete"):
            parse_card(Path("x"), text.encode())


def test_field_that_is_there_twice_is_refused(card: dict[str, Any]) -> None:
    """Two readers may each take another one of them."""
    text = json.dumps(card).replace('"name": "small"', '"name": "large", "name": "small"')
    with pytest.raises(ModelFileError, match="a field is there twice"):
        parse_card(Path("x"), text.encode())


def test_keyword_that_the_checker_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="'dependentRequired' is not known"):
        list(find_faults({}, {"dependentRequired": {}}))


def fields(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {})
    for inner in [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]:
        yield from fields(inner)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from fields(schema[key])


def test_document_names_every_field_of_the_schema() -> None:
    document = (_ROOT / "docs" / "model-file.md").read_text()
    names = set(fields(card_schema()))
    assert {"labels", "calibration_sha256", "per_class", "input_sha256", "bytes"} <= names
    named = set(re.findall(r"`([^`]+)`", document))
    assert names - {part for name in named for part in re.split(r"[.\[\]]", name)} == set()


def test_document_states_the_limits_of_the_code() -> None:
    from edge import model_archive, model_file, signature, trust

    document = (_ROOT / "docs" / "model-file.md").read_text()
    for limit in (
        model_file._LARGEST_MODEL_BYTES,
        model_archive.LARGEST_CARD_BYTES,
        model_archive.LARGEST_LABELS_BYTES,
        model_archive.LARGEST_FRAME_BYTES,
    ):
        assert f"{limit:,}" in document
    assert signature.DOMAIN[:-1].decode() in document
    for name in signature._FIELDS:
        assert f"`{name}`" in document
    assert str(trust.DEFAULT_TRUST_STORE) in document
    assert model_file.PREPROCESSING_METHOD in document
