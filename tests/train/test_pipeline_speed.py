"""A training beside what its input pipeline alone delivers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_pipeline_alone_is_timed_beside_a_runs_training(finished_run: Path) -> None:
    command = [sys.executable, "-m", "train.pipeline_speed", finished_run, "--images=32", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["network"], found["backend"], found["images"]) == ("custom-cnn", "tensorflow", 32)
    # Which is more is for a benchmark to say.
    assert found["training"] > 0
    assert found["pipeline"] > 0


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "train.pipeline_speed", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "A run folder holds config.json" in done.stderr
