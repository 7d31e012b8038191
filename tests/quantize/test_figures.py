"""The tables of README: their form, and the promises that they are held to."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from edge import __version__
from quantize.figures import (
    RunFigures,
    Timing,
    as_markdown,
    broken_promises,
    figures_of,
    measure,
)
from quantize.quantization import quantize
from tests.conftest import LAX

_RUN = RunFigures(
    "custom-cnn", "random", 0, 500, 0.99, 0.988, 1, 0, "plain int8", data="smears, version abc"
)
_TIMING = Timing("custom-cnn", 0.41, 0.5, 1.1)


def test_good_figures_keep_all_promises() -> None:
    assert (
        broken_promises([_RUN, replace(_RUN, network="mobilenet-v2", int8_accuracy=0.99)], []) == []
    )


def test_int8_is_held_to_its_promise_under_random_splits_alone() -> None:
    low = replace(_RUN, int8_accuracy=0.9)
    assert broken_promises([replace(low, split="grouped")], []) == []
    assert broken_promises([low], []) != []


def test_promises_are_of_the_mean_over_seeds() -> None:
    runs = [replace(_RUN, seed=0, int8_accuracy=0.985), replace(_RUN, seed=1, int8_accuracy=0.991)]
    assert broken_promises(runs, []) == []
    assert broken_promises(runs[:1], []) != []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"int8_accuracy": 0.984}, "points lost to int8 is 0.6"),
        ({"flips": 2}, "agreement is 0.996"),
        ({"malignant_to_benign": 1}, "malignant turned benign is 1"),
        ({"refused": "too much"}, "seed 0: no int8 model"),
    ],
)
def test_each_broken_promise_is_named(change: dict[str, object], said: str) -> None:
    (sentence,) = broken_promises([replace(_RUN, **change)], [])  # type: ignore[arg-type]
    assert said in sentence


def test_slow_classification_is_named() -> None:
    (sentence,) = broken_promises([], [replace(_TIMING, network="mobilenet-v2", ratio=1.31)])
    assert "classify over invoke is 1.31" in sentence


def test_table_states_split_seeds_n_and_spread() -> None:
    other = replace(_RUN, seed=1, float_accuracy=0.98, int8_accuracy=0.98)
    refused = replace(_RUN, network="mobilenet-v2", refused="too much")
    table = as_markdown([other, _RUN, replace(_RUN, split="grouped"), refused], [_TIMING])
    for part in (
        # Student's interval of two values: 12.7 times half of what they differ by.
        "| custom-cnn | random, seeds 0 and 1 | 1,000 | 98.50% (92.15% to 100.00%)",
        "| custom-cnn | grouped, fold 1 of 5 | 500 | 99.00% |",
        "| mobilenet-v2 | random, seed 0 | – | – | refused",
        "| custom-cnn | 0.41 MB | 0.50 ms | 1.10 |",
        "Data: smears, version abc; test parts",
    ):
        assert part in table


def test_runs_of_a_study_are_quantized(finished_run: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(finished_run, study / "runs" / "custom-cnn" / "random-0")
    command = [sys.executable, "-m", "quantize.figures", study, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Twenty test images cannot show so small a loss.
    assert done.returncode == 1, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["network"], run["split"], run["seed"]) == ("custom-cnn", "random", 0)
    assert run["refused"]
    assert "no int8 model" in done.stderr


def test_run_that_was_quantized_before_is_taken_as_it_is(
    finished_run: Path, tiny_model: Path, tmp_path: Path
) -> None:
    run, out = tmp_path / "runs" / "custom-cnn" / "random-0", tmp_path / "int8" / "custom-cnn"
    shutil.copytree(finished_run, run)
    out.mkdir(parents=True)
    shutil.copy(tiny_model, out / "random-0.tflite")
    rests_on = {
        "model_sha256": hashlib.sha256((run / "model.keras").read_bytes()).hexdigest(),
        "blastscope": __version__,
    }
    kept = out / "random-0.json"
    kept.write_text(json.dumps({"rests_on": rests_on, "figures": asdict(_RUN)}))
    figures, timings = measure(tmp_path)
    assert figures == [_RUN]
    assert [one.network for one in timings] == ["custom-cnn"]
    kept.write_text(json.dumps({"rests_on": rests_on | {"model_sha256": "other"}, "figures": {}}))
    (refused,), _ = measure(tmp_path)
    assert refused.refused, "quantized anew, and twenty test images cannot show so small a loss"


def test_figures_of_a_run_are_those_of_its_gate(finished_run: Path, tmp_path: Path) -> None:
    result = quantize(finished_run, tmp_path / "model.tflite", criterion=LAX)
    named = {"network": "custom-cnn", "split": "random", "seed": 0}
    run = figures_of(named, result)
    assert (run.n, run.flips) == (20, len(result.decision.held_out.flipped))
    assert run.int8_accuracy == result.int8_report["accuracy"]
    assert run.malignant_to_benign == len(result.decision.unseen.malignant_to_benign())


def test_study_without_runs_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "quantize.figures", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "blastscope reproduce" in done.stderr
