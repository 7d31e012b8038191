"""Evaluation of run folders, .keras and .tflite files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import BlastscopeError, DatasetError, ModelFileError, SplitError, TrainingError
from tests.conftest import Command
from train.evaluation import evaluate
from train.run_folder import RunFolder
from train.splits.split import read_split, write_split


def test_test_part_of_a_run_gives_its_metrics(finished_run: Path, smears: Path) -> None:
    report = evaluate(finished_run, smears, part="test")
    metrics = json.loads(RunFolder(finished_run).metrics.read_text())["test"]
    assert {key: report[key] for key in metrics} == metrics
    assert report["n_trained_on"] == 0


def test_images_that_were_trained_on_are_counted(finished_run: Path, smears: Path) -> None:
    report = evaluate(finished_run, smears)
    assert report["n"] == 96
    assert report["n_trained_on"] == 68


def test_images_are_recognized_by_content_wherever_they_lie(
    finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    for path in smears.rglob("*.png"):
        target = moved / "Original" / path.parent.name / f"renamed-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    assert evaluate(finished_run, moved, part="test") == evaluate(finished_run, smears, part="test")


def test_keras_file_alone_takes_its_labels_from_the_folders(
    finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.keras"
    shutil.copy(RunFolder(finished_run).model, alone)
    report = evaluate(alone, smears)
    assert report["confusion"] == evaluate(finished_run, smears)["confusion"]
    assert report["n_trained_on"] is None
    shutil.copytree(smears / "Pro", tmp_path / "data" / "Pro")
    shutil.copytree(smears / "Pre", tmp_path / "data" / "Pre")
    with pytest.raises(DatasetError, match="4 classes"):
        evaluate(alone, tmp_path / "data")


def test_tflite_file_is_scored_by_the_runtime(
    tiny_model: Path, finished_run: Path, smears: Path
) -> None:
    report = evaluate(tiny_model, smears)
    assert report["n"] == 96
    assert report["n_trained_on"] is None
    by_split = evaluate(tiny_model, smears, part="test", split_path=finished_run / "split.csv")
    assert by_split["n"] == 20
    assert by_split["n_trained_on"] == 0


def test_data_with_some_of_the_classes_is_enough(
    tiny_model: Path, smears: Path, tmp_path: Path
) -> None:
    shutil.copytree(smears / "Pro", tmp_path / "Pro")
    report = evaluate(tiny_model, tmp_path)
    assert report["per_class"]["Pro"]["n"] == 24
    assert report["per_class"]["Pre"]["sensitivity"] is None


def test_what_cannot_be_evaluated_says_why(
    tiny_model: Path, finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    cases: list[tuple[type[BlastscopeError], str, tuple[Path, Path], dict[str, object]]] = [
        (TrainingError, "A run folder holds", (smears, smears), {}),
        (ModelFileError, "readable file", (tmp_path / "absent.tflite", smears), {}),
        (ModelFileError, r"\.keras file", (tmp_path / "absent.keras", smears), {}),
        (DatasetError, "not there", (tiny_model, tmp_path / "absent"), {}),
        (TrainingError, "split is known", (tiny_model, smears), {"part": "test"}),
        (TrainingError, "The part is", (finished_run, smears), {"part": "half"}),
        (SplitError, "CSV", (tiny_model, smears), {"split_path": tmp_path / "absent.csv"}),
    ]
    for error, message, arguments, options in cases:
        with pytest.raises(error, match=message):
            evaluate(*arguments, **options)  # type: ignore[arg-type]


def test_json_keeps_its_form(blastscope: Command, tiny_model: Path, smears: Path) -> None:
    done = blastscope("evaluate", tiny_model, smears, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {
        "n",
        "accuracy",
        "accuracy_ci95",
        "macro_f1",
        "weighted_f1",
        "per_class",
        "confusion",
    } <= set(report)
    assert list(report["per_class"]) == ["Benign", "Early", "Pre", "Pro"]
    for figures in report["per_class"].values():
        assert {"n", "sensitivity", "specificity", "precision", "f1"} <= set(figures)
    assert set(report["confusion"]) == {"labels", "matrix"}
    assert sum(map(sum, report["confusion"]["matrix"])) == report["n"] == 96


def test_warning_when_training_images_are_among_them(
    blastscope: Command, finished_run: Path, smears: Path
) -> None:
    done = blastscope("evaluate", finished_run, smears)
    assert done.returncode == 0, done.stderr
    assert "trained on 68 of these 96" in done.stderr
    assert "all images; images of version " in done.stdout
    clean = blastscope("evaluate", finished_run, smears, "--part", "test")
    assert "trained on" not in clean.stderr
    assert "(n = 20, " in clean.stdout
    assert "test part of a random split, seed 0; images of version " in clean.stdout


def test_groups_of_the_split_are_drawn_together(
    tiny_model: Path, finished_run: Path, smears: Path, tmp_path: Path
) -> None:
    split = read_split(finished_run / "split.csv")
    pairs = replace(split, groups=tuple(index // 8 for index in range(96)))
    write_split(tmp_path / "split.csv", pairs)
    report = evaluate(tiny_model, smears, split_path=tmp_path / "split.csv")
    assert report["intervals"]["groups"] == 12
    assert len(report["accuracy_group_ci95"]) == 2
    assert evaluate(tiny_model, smears)["intervals"]["groups"] is None
