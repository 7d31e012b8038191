"""What `from edge import ...` promises to scripts."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import cv2
import pytest

import edge
from edge.smear import render_field


@pytest.mark.parametrize("name", edge.__all__)
def test_public_name_is_the_thing_and_no_module(name: str) -> None:
    assert not isinstance(getattr(edge, name), ModuleType)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="telescope"):
        edge.telescope  # noqa: B018


def test_example_of_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    readme = Path(__file__).resolve().parents[2] / "README.md"
    (example,) = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    cv2.imwrite(str(tmp_path / "field.jpg"), render_field("Pre", 1))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    said = capsys.readouterr().out  # type: ignore[attr-defined]
    assert any(decision in said for decision in ("result", "repeat", "refer"))
