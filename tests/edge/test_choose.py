"""blastscope choose: which model and how many threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.bench.choice import Trial, choose, try_models
from edge.shipped_models import shipped_model
from edge.smear import render_field
from tests.conftest import Command

GOOD, FAST, PLAIN = Path("good.tflite"), Path("fast.tflite"), Path("plain.tflite")


def trial(model: Path, accuracy: float | None, threads: int, p50: float, p90: float) -> Trial:
    return Trial(model, accuracy, threads, p50, p90)


TRIALS = [
    trial(GOOD, 0.99, 1, 60, 62),
    trial(GOOD, 0.99, 2, 33, 35),
    trial(GOOD, 0.99, 3, 21, 23),
    trial(GOOD, 0.99, 4, 20, 24),
    trial(FAST, 0.98, 1, 8, 9),
    trial(FAST, 0.98, 2, 7.5, 8),
    trial(PLAIN, None, 1, 1, 2),
]


@pytest.mark.parametrize(
    ("rate", "model", "threads"),
    [
        # Three threads are within a tenth of four, and leave a core.
        (30, GOOD, 3),
        (43, GOOD, 3),
        (44, FAST, 1),
        (111, FAST, 1),
        # A model that says nothing of its accuracy comes last.
        (112, PLAIN, 1),
        (1000, PLAIN, 1),
    ],
)
def test_most_accurate_that_keeps_up_is_chosen(rate: float, model: Path, threads: int) -> None:
    chosen = choose(TRIALS, rate)
    assert (chosen.model, chosen.threads) == (model, threads)


def test_first_of_equals_is_chosen() -> None:
    trials = [trial(GOOD, 0.99, 1, 5, 6), trial(FAST, 0.99, 1, 1, 2)]
    assert choose(trials, 30).model == GOOD
    assert choose(trials[::-1], 30).model == FAST


def test_each_model_is_tried_at_each_number_of_threads() -> None:
    told: list[tuple[int, int]] = []
    models = [shipped_model("fast"), shipped_model("custom-cnn")]
    frame = render_field("Pre", 0)
    trials = try_models(models, frame, (1, 2), 0.0, lambda *done: told.append(done))
    assert [(one.model, one.threads) for one in trials] == [
        (model, threads) for model in models for threads in (1, 2)
    ]
    assert all(0.9 < (one.accuracy or 0) < 1 and one.p50_ms <= one.p90_ms for one in trials)
    assert told == [(done, 4) for done in range(1, 5)]


def test_choice_is_kept_for_a_service(blastscope: Command, tmp_path: Path) -> None:
    env = tmp_path / "choice.env"
    done = blastscope(
        "choose", "--model", "fast", "--seconds", 0, "--rate", 0.01, "--env", env, "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["chosen"]["keeps_up"] is True
    assert report["chosen"]["model"] == str(shipped_model("fast"))
    assert f"\nBLASTSCOPE_THREADS={report['chosen']['threads']}\n" in env.read_text()


def test_path_alone_is_printed_for_scripts(blastscope: Command) -> None:
    done = blastscope("choose", "--model", "fast", "--seconds", 0, "--path")
    assert done.stdout == f"{shipped_model('fast')}\n"


def test_too_slow_a_machine_is_told(blastscope: Command) -> None:
    done = blastscope("choose", "--model", "fast", "--seconds", 0, "--rate", 1e6)
    assert done.returncode == 0
    assert "does not keep up" in done.stderr


def test_environment_sets_the_threads_and_the_option_counts_for_more(tmp_path: Path) -> None:
    environment = {**os.environ, "BLASTSCOPE_THREADS": "65"}
    command = [sys.executable, "-m", "edge.cli", "watch", "--camera", "simulated", "--frames", "1"]
    refused = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert refused.returncode == 2
    assert "at most 64" in refused.stderr
    subprocess.run([*command, "--threads", "1"], env=environment, check=True, cwd=tmp_path)
