"""blastscope split, and training on what it wrote."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from train.run_folder import RunFolder
from train.splits.split import read_split

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_split_is_written_and_listed(smears: Path, tmp_path: Path, blastscope: Command) -> None:
    out = tmp_path / "split.csv"
    made = blastscope("split", smears, "--seed", "2", "--out", out)
    assert made.returncode == 0, made.stderr
    assert "pseudo-groups" in made.stdout
    assert "blastscope train" in made.stderr
    listed = blastscope("split", "--list", out)
    assert listed.stdout == made.stdout
    summary = json.loads(blastscope("split", "--list", out, "--json").stdout)
    assert (summary["kind"], summary["seed"], summary["n"]) == ("grouped", 2, 96)
    assert summary["crossing"] == 0
    assert summary["digest"] == read_split(out).digest()
    with out.open() as file:
        assert next(csv.reader(file)) == ["path", "part", "group", "sha256", "kind", "seed", "fold"]


def test_folds_and_repeats_make_folders(smears: Path, tmp_path: Path, blastscope: Command) -> None:
    folds = blastscope("split", smears, "--folds", "3", "--out", tmp_path / "folds", "--json")
    assert [one["fold"] for one in json.loads(folds.stdout)] == ["1/3", "2/3", "3/3"]
    repeats = blastscope(
        "split", smears, "--kind", "random", "--repeats", "2", "--out", tmp_path / "repeats"
    )
    assert repeats.returncode == 0
    assert sorted(path.name for path in (tmp_path / "repeats").iterdir()) == [
        "seed-0.csv",
        "seed-1.csv",
    ]


def test_misuse_is_told(smears: Path, tmp_path: Path, blastscope: Command) -> None:
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    for arguments, message in (
        ((smears,), "--out"),
        ((smears, smears, "--out", tmp_path / "a"), "One folder"),
        ((smears, "--out", taken), "must not exist"),
        ((smears, "--kind", "subject", "--out", tmp_path / "a"), "--split grouped"),
        ((smears, "--folds", "2", "--repeats", "2", "--out", tmp_path / "a"), "--repeats"),
        (("--list", taken), "columns path, part, group and sha256"),
    ):
        done = blastscope("split", *arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert taken.read_text() == "mine"


def test_crossing_groups_are_pointed_out(tmp_path: Path, blastscope: Command) -> None:
    path = tmp_path / "split.csv"
    path.write_text("path,part,group,sha256\na/1.png,train,4,00\na/2.png,test,4,ff\n")
    listed = blastscope("split", "--list", path)
    assert "1 groups are in several parts" in listed.stderr


@pytest.mark.parametrize("how", [("--split", "grouped"), ("--fold", "1/3"), ("file",)])
def test_training_records_its_split(
    how: tuple[str, ...], smears: Path, tmp_path: Path, blastscope: Command
) -> None:
    out, file = tmp_path / "run", tmp_path / "split.csv"
    options: tuple[object, ...] = how
    if how == ("file",):
        assert blastscope("split", smears, "--seed", "1", "--out", file).returncode == 0
        options = ("--split", file)
    train = ("train", "custom-cnn-paper", "--data", smears, "--out", out, "--balance", "none")
    done = blastscope(*train, *options, "--epochs", "1", "--json")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)
    config, split = RunFolder(out).read_config(), RunFolder(out).read_split()
    assert config.split == split.kind == metrics["split_kind"]
    assert config.split == ("random" if how[0] == "--fold" else "grouped")
    assert config.fold == split.fold == ("1/3" if how[0] == "--fold" else None)
    assert metrics["split"] == split.caveat
    assert config.split_digest == split.digest()
    if how == ("file",):
        assert config.split_file == str(file.resolve())
        assert split.parts == read_split(file).parts
        file.unlink()
    again = blastscope(*train, "--resume", "--epochs", "2")
    assert again.returncode == 0, again.stderr


def test_training_refuses_a_split_that_leaks(
    smears: Path, tmp_path: Path, blastscope: Command
) -> None:
    file = tmp_path / "split.csv"
    assert blastscope("split", smears, "--out", file).returncode == 0
    file.write_text(file.read_text().replace(",test,", ",train,", 1))
    done = blastscope(
        "train", "custom-cnn", "--data", smears, "--out", tmp_path / "run", "--split", file
    )
    assert done.returncode == 2
    assert "A pseudo-group" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--split", "patients"), "unseen-subjects, or the path"),
        (("--fold", "9/5"), "I/K"),
        (("--fold", "1/5", "--test-fraction", "0.3"), "Leave --test-fraction out"),
        (("--split", "subject"), "UID_<subject>"),
    ],
)
def test_split_options_that_do_not_fit_leave_nothing(
    options: tuple[str, ...], message: str, smears: Path, tmp_path: Path, blastscope: Command
) -> None:
    done = blastscope("train", "custom-cnn", "--data", smears, "--out", tmp_path / "run", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "run").exists()
