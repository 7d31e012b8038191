"""What follows from images alone, kept between runs beside their features."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from edge.errors import OutputError
from edge.output import make_folder, write_json
from train.deep_features.feature_store import feature_folder, features_key

_log = logging.getLogger("blastscope.kept")


def kept(facts: tuple[object, ...], compute: Callable[[], Any]) -> Any:
    """Return a value that was computed before from the same facts, or compute it and keep it.

    Args:
        facts: all that the value follows from, each with a `repr` that changes with it.
        compute: gives the value, of JSON types.
    """
    features = feature_folder()
    if features is None:
        return compute()
    path = features.parent / "derived" / f"{features_key(*facts)}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        _log.warning("A damaged entry of the cache is made anew: %s", path)
    value = compute()
    try:
        make_folder(path.parent)
        write_json(path, value)
    except OutputError as error:
        _log.warning("This cannot be kept for the next run. %s", error)
    return value
