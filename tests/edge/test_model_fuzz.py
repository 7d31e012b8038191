"""Thousands of damaged and hostile model files: each is refused, or is as good as the original."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.edge.model_mutants import LONGEST_S, MUTATIONS, make_mutant
from tests.edge.small_model import make_model

_ROOT = Path(__file__).resolve().parents[2]


def fuzz(folder: Path, original: Path, first: int, count: int) -> Counter[tuple[str, str]]:
    """Load mutants in a process of their own, and count what came of each kind."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.edge.model_mutants"),
            *map(str, (original, first, count, folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=_ROOT,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    last = rows[-1] if rows else "none"
    assert done.returncode == 0, f"died after {last} with {done.returncode}: {done.stderr[-2000:]}"
    assert [row[0] for row in rows] == list(range(first, first + count))
    for number, name, outcome, spent in rows:
        assert spent < LONGEST_S, (number, name, spent)
        # A card may say something else and be whole: then it is another model, not a damaged one.
        is_fine = outcome in ("refused", "same") or (
            name in ("edit_card", "lie_about_part") and outcome.startswith("another: ")
        )
        assert is_fine, (number, name, outcome)
    return Counter((name, outcome.split(":")[0]) for _, name, outcome, _ in rows)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "model.tflite"
    path.write_bytes(make_model())
    return path


def check(counts: Counter[tuple[str, str]]) -> None:
    names = {mutation.__name__ for mutation in MUTATIONS}
    assert {name for name, _ in counts} == names
    for name in names - {"edit_card", "lie_about_part"}:
        same = counts[name, "same"]
        assert same <= counts[name, "refused"] / 4, "few changes change nothing"


def test_500_mutants_are_refused_or_as_good_as_the_original(original: Path, tmp_path: Path) -> None:
    check(fuzz(tmp_path, original, 0, 500))


@pytest.mark.slow
def test_10000_mutants_are_refused_or_as_good_as_the_original(
    original: Path, tmp_path: Path
) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for first in range(500, 10_500, 1000):
        counts += fuzz(tmp_path, original, first, 1000)
    assert sum(counts.values()) == 10_000
    check(counts)


def test_mutants_are_the_same_each_time(original: Path) -> None:
    content = original.read_bytes()
    for number in range(len(MUTATIONS)):
        assert make_mutant(content, number) == make_mutant(content, number)
