"""What the documents point to is there, and README's tables are those that a command printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "deploy" / "README.md", *(ROOT / "docs").glob("*.md")]
)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_links_to_are_there(document: Path) -> None:
    links = _LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_readme_has_the_tables_of_the_reproduction() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    printed = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8").splitlines()
    section = readme.partition("## Measured")[2].partition("What int8 costs:")[0].splitlines()
    shown = [line for line in section if line.startswith(("| ", "Data: "))]
    assert len(shown) > 10
    assert [line for line in shown if line not in printed] == []
