"""A checker for the part of JSON Schema (draft 2020-12) that the card's schema uses.

The `jsonschema` package would bring a compiled extension to every station, or else a check that
is weaker where it is not installed. This one needs nothing, so each model is checked in full each
time it is loaded; the tests hold it against `jsonschema`. A keyword that it does not know is an
error of the schema, never passed over.

Source: "JSON Schema Validation: A Vocabulary for Structural Validation of JSON", draft 2020-12.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and _is_finite(value) and value == int(value),
    "number": lambda value: _is_number(value) and _is_finite(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

#: Keywords that say something to people only, or that `_follow` has read already.
_SILENT = {"$schema", "$id", "$defs", "title", "description", "$ref"}

_Faults = Iterator[tuple[str, str]]


def find_faults(value: Any, schema: Mapping[str, Any]) -> _Faults:
    """Yield what is wrong with a value.

    Args:
        value: as `json.loads` returns it.
        schema: a JSON Schema whose references all begin with "#/$defs/".

    Yields:
        The place, such as "preprocessing.height" ("" for the whole), and what must hold there.

    Raises:
        ValueError: the schema has a keyword that this checker does not know.
    """
    return _check(value, schema, schema, "")


def _check(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> _Faults:
    if reference := schema.get("$ref"):
        yield from _check(value, root["$defs"][reference.removeprefix("#/$defs/")], root, place)
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_TYPES[name](value) for name in names):
            yield place, f"must be of type {' or '.join(names)}, not {_show(value)}"
            return
    for keyword, rule in schema.items():
        if keyword in _SILENT or keyword == "type":
            continue
        if keyword in _SIMPLE:
            is_kept, text = _SIMPLE[keyword]
            if not is_kept(value, rule):
                yield place, f"{text} {_show(rule)}, not {_show(value)}"
        elif keyword == "not":
            if not any(_check(value, rule, root, place)):
                yield place, f"must not match {_show(rule)}, as {_show(value)} does"
        elif keyword in ("properties", "required", "additionalProperties"):
            if isinstance(value, dict):
                yield from _check_object(value, keyword, schema, root, place)
        elif keyword == "items":
            if isinstance(value, list):
                for index, item in enumerate(value):
                    yield from _check(item, rule, root, f"{place}[{index}]")
        else:
            raise ValueError(f"the schema's keyword {keyword!r} is not known")


def _check_object(
    value: dict[str, Any],
    keyword: str,
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    place: str,
) -> _Faults:
    def inner(name: str) -> str:
        return f"{place}.{name[:80]}" if place else name[:80]

    known = schema.get("properties", {})
    rule = schema[keyword]
    if keyword == "required":
        for name in rule:
            if name not in value:
                yield inner(name), "must be there"
        return
    for name, item in value.items():
        if keyword == "properties" and name in known:
            yield from _check(item, known[name], root, inner(name))
        if keyword == "additionalProperties" and name not in known:
            if rule is False:
                yield inner(name), "must not be there"
            elif rule is not True:
                yield from _check(item, rule, root, inner(name))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: int | float) -> bool:
    # A whole number may be too large for isfinite, which makes a float of it first.
    return isinstance(value, int) or math.isfinite(value)


def _is_unique(value: Any, rule: bool) -> bool:
    if not rule or not isinstance(value, list):
        return True
    return len({repr(item) for item in value}) == len(value)


#: Keywords that look at one value alone: the test, and how its rule is written in a message. Each
#: keeps quiet about values of other types, as JSON Schema wants it.
_SIMPLE: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "const": (lambda v, r: bool(v == r and isinstance(v, bool) is isinstance(r, bool)), "must be"),
    "enum": (lambda v, r: v in r, "must be one of"),
    "minimum": (lambda v, r: not _is_number(v) or v >= r, "must be at least"),
    "maximum": (lambda v, r: not _is_number(v) or v <= r, "must be at most"),
    "exclusiveMinimum": (lambda v, r: not _is_number(v) or v > r, "must be above"),
    "exclusiveMaximum": (lambda v, r: not _is_number(v) or v < r, "must be below"),
    "minLength": (lambda v, r: not isinstance(v, str) or len(v) >= r, "must have a length from"),
    "maxLength": (lambda v, r: not isinstance(v, str) or len(v) <= r, "must have a length up to"),
    "pattern": (lambda v, r: not isinstance(v, str) or bool(re.search(r, v)), "must match"),
    "minItems": (lambda v, r: not isinstance(v, list) or len(v) >= r, "must have items from"),
    "maxItems": (lambda v, r: not isinstance(v, list) or len(v) <= r, "must have items up to"),
    "uniqueItems": (_is_unique, "must have items that are all different:"),
    "maxProperties": (lambda v, r: not isinstance(v, dict) or len(v) <= r, "must have fields to"),
}


def _show(value: Any) -> str:
    text = repr(value) if not isinstance(value, list | dict) or len(value) < 20 else "a long one"
    return text if len(text) <= 80 else f"{text[:77]}..."
